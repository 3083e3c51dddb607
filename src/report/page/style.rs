//! The page's style: one sheet for screen and paper, light and dark, from 360 px up.

use maud::{Markup, PreEscaped};

use crate::report::chart::STYLE;

/// Colours are those of Okabe & Ito (2008) and greys with a contrast of 4.5 at least on their ground.
const SHEET: &str = "\
:root{color-scheme:light dark;--paper:#fff;--soft:#f4f6f8;--ink:#1b1f24;--quiet:#57606a;--line:#d5dae0;--gain:#0072b2;\
--loss:#d55e00;--loss-ink:#8f3b00;--total:#59616b;--bar:#b6bfc9;--link:#005a8c;--mark:#fff6dc}\
@media(prefers-color-scheme:dark){:root{--paper:#15181c;--soft:#1d2126;--ink:#eceff2;--quiet:#a7b0ba;--line:#343a42;\
--gain:#56b4e9;--loss:#e69f00;--loss-ink:#ffc65c;--total:#a7b0ba;--bar:#5b646f;--link:#8ecbf0;--mark:#3a3115}}\
*{box-sizing:border-box}\
body{margin:0 auto;padding:1rem;max-width:84rem;background:var(--paper);color:var(--ink);\
font:1rem/1.6 system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif}\
a{color:var(--link)}\
.skip{position:absolute;left:-100rem}.skip:focus{left:1rem;background:var(--paper);padding:.5rem;z-index:1}\
.kicker{margin:0;color:var(--quiet);letter-spacing:.06em;text-transform:uppercase;font-size:.8rem}\
h1{margin:.1rem 0 0;font-size:clamp(1.6rem,5vw,2.5rem);line-height:1.15;overflow-wrap:anywhere}\
h2{margin:0 0 .8rem;font-size:1.45rem;line-height:1.25}\
h3{margin:2rem 0 .5rem;font-size:1.1rem}\
.number{color:var(--quiet);font-weight:400}\
.quiet{color:var(--quiet)}\
header{padding-bottom:1rem;border-bottom:2px solid var(--ink)}\
nav ol{margin:1rem 0;padding-left:1.4rem;columns:2 12rem}\
nav li{padding:.1rem 0}\
section{padding:2rem 0;border-bottom:1px solid var(--line)}\
p{max-width:46rem;margin:.7rem 0}\
.lines{padding:0;margin:0;list-style:none;max-width:50rem}\
.lines li{padding:.7rem 0 .7rem 1rem;border-left:.3rem solid var(--gain);margin:.6rem 0;background:var(--soft);\
font-size:1.1rem;padding-right:1rem}\
.lines strong{white-space:nowrap}\
figure{margin:1.6rem 0}\
figcaption{font-weight:600;margin-bottom:.5rem;max-width:46rem}\
details{margin-top:.5rem}\
summary{cursor:pointer;color:var(--link);padding:.2rem 0}\
.scroll{overflow-x:auto;margin:1rem 0}\
.scroll:focus-visible,a:focus-visible,summary:focus-visible{outline:3px solid var(--gain);outline-offset:2px}\
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;min-width:min(100%,28rem)}\
caption{text-align:left;color:var(--quiet);padding-bottom:.4rem}\
th,td{padding:.32rem .8rem .32rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}\
th{font-weight:600}\
td,tbody th{white-space:nowrap}tbody th{font-weight:400}td.long,th.long{white-space:normal;min-width:16rem;overflow-wrap:anywhere}\
.n{text-align:right;white-space:nowrap}\
.nothing{color:var(--quiet);border-left:.3rem solid var(--line);padding-left:1rem}\
.warning{background:var(--mark);padding:.6rem 1rem;border-left:.3rem solid var(--loss);max-width:50rem}\
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}\
.tiles{display:grid;grid-template-columns:1fr 1fr;gap:.6rem;max-width:50rem;margin:1.2rem 0;padding:0;list-style:none}\
.tiles li{background:var(--soft);padding:1rem;border-top:.35rem solid var(--line);min-width:0}\
.tiles h3{margin:0;font-size:1.1rem}\
.tiles p{margin:.25rem 0;font-size:.95rem}\
.tiles .big{font-size:1.5rem;font-weight:600;line-height:1.2}\
.tiles .invest,.tiles .nurture{border-top-color:var(--gain)}\
.tiles .re-engineer,.tiles .let-go{border-top-color:var(--loss)}\
@media(max-width:640px){.tiles{grid-template-columns:1fr}}\
footer{color:var(--quiet);font-size:.9rem}\
@media(min-width:1160px){.columns{display:grid;grid-template-columns:15rem minmax(0,60rem);gap:3rem}\
nav{position:sticky;top:1rem;align-self:start}nav ol{columns:1}}\
.wc-narrow{display:none}\
@media(max-width:640px){.wc-narrow{display:block}.wc-wide{display:none}}\
.patterns{position:absolute;width:0;height:0}\
.hatch-ground{fill:var(--paper)}.hatch-line{stroke:var(--loss);stroke-width:3}.hatch-quiet{stroke:var(--line);stroke-width:2}\
.wc-chart .bar-gain{fill:var(--gain)}\
.wc-chart .bar-loss{fill:url(#hatch-loss);stroke:var(--loss);stroke-width:1.5}\
.wc-chart .bar-total{fill:var(--total)}\
.wc-chart .bar-quiet{fill:var(--bar)}\
.wc-chart .join{stroke:var(--quiet);stroke-width:1;stroke-dasharray:2 3}\
.wc-chart .line-first{stroke:var(--gain);stroke-width:3}\
.wc-chart .line-second{stroke:var(--loss);stroke-width:3;stroke-dasharray:9 5}\
.wc-chart .line-third{stroke:var(--quiet);stroke-width:2;stroke-dasharray:2 5}\
.wc-chart .band-outer{fill:var(--gain);fill-opacity:.18}\
.wc-chart .band-inner{fill:var(--gain);fill-opacity:.38}\
.wc-chart .heat-0{fill:#eef4fa}.wc-chart .heat-1{fill:#d0e1f2}.wc-chart .heat-2{fill:#a6cbe6}\
.wc-chart .heat-3{fill:#2f78b3}.wc-chart .heat-4{fill:#155a98}.wc-chart .heat-5{fill:#08336b}\
.wc-chart .heat-empty{fill:none;stroke:var(--line)}\
.wc-chart .heat-hidden{fill:url(#hatch-hidden);stroke:var(--line)}\
.wc-chart .ink{fill:#1b1f24}.wc-chart .pale{fill:#fff}\
@media print{body{max-width:none;padding:0;font-size:10.5pt}nav,.skip{display:none}section{break-inside:auto;padding:1rem 0}\
figure,.tiles li,.lines li,tr{break-inside:avoid}h2,h3,figcaption{break-after:avoid}.scroll{overflow:visible}\
details{display:none}.columns{display:block}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}";

/// The style of page and charts.
pub(super) fn sheet() -> String {
    format!("{STYLE}{SHEET}")
}

/// Patterns that the charts fill with.
pub(super) fn patterns() -> Markup {
    PreEscaped(
        "<svg class=\"patterns\" aria-hidden=\"true\" focusable=\"false\"><defs>\
         <pattern id=\"hatch-loss\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect class=\"hatch-ground\" width=\"7\" height=\"7\"/><line class=\"hatch-line\" x1=\"2\" y1=\"0\" x2=\"2\" y2=\"7\"/></pattern>\
         <pattern id=\"hatch-hidden\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect class=\"hatch-ground\" width=\"6\" height=\"6\"/><line class=\"hatch-quiet\" x1=\"2\" y1=\"0\" x2=\"2\" y2=\"6\"/></pattern>\
         </defs></svg>"
            .to_owned(),
    )
}
