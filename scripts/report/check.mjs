// The report in a browser: accessible, within its width, nothing overlaps, nothing runs and nothing is asked for.
//
//   node check.mjs CHROMIUM PICTURES REPORT.html…
//
// Prints a line a page and shape; exits with 1 when something is wrong. PICTURES: a folder for screenshots, or "-".

import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [executablePath, pictures, ...reports] = process.argv.slice(2);
const shapes = [
  { name: "360", width: 360, colorScheme: "light" },
  { name: "1000-dark", width: 1000, colorScheme: "dark" },
  { name: "1600", width: 1600, colorScheme: "light" },
];
const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// Texts of pictures that leave their picture, or lie over each other; run in the page.
function layout() {
  const wrong = [];
  const shown = (element) => element.getClientRects().length > 0;
  for (const picture of document.querySelectorAll("svg[role=img]")) {
    if (!shown(picture)) continue;
    const frame = picture.getBoundingClientRect();
    const texts = [...picture.querySelectorAll("text")].filter(shown);
    const boxes = texts.map((text) => ({ words: text.textContent, box: text.getBoundingClientRect() }));
    for (const { words, box } of boxes) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
        wrong.push(`${picture.id}: "${words}" leaves its picture`);
      }
    }
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        // Line boxes of neighbouring lines touch; their letters do not.
        if (across > 1 && down > 0.35 * Math.min(one.box.height, other.box.height)) {
          wrong.push(`${picture.id}: "${one.words}" and "${other.words}" overlap`);
        }
      }
    }
  }
  if (document.scrollingElement.scrollWidth > window.innerWidth + 1) {
    wrong.push(`the page is ${document.scrollingElement.scrollWidth} px wide`);
  }
  if (!document.querySelector("svg[role=img]")) wrong.push("there is no picture");
  return wrong;
}

let failed = false;
const browser = await chromium.launch({ executablePath, args: flags });
for (const report of reports) {
  const url = pathToFileURL(resolve(report)).href;
  for (const { name, width, colorScheme } of shapes) {
    const wrong = [];
    // First as a reader opens it, under its own policy.
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.on("request", (request) => request.url() === url || wrong.push(`asks for ${request.url()}`));
    page.on("dialog", (dialog) => { wrong.push("a dialog opens"); dialog.dismiss(); });
    page.on("console", (message) => message.type() === "error" && wrong.push(`says ${message.text()}`));
    await page.goto(url);
    wrong.push(...(await page.evaluate(layout)));
    if (pictures !== "-") {
      await page.screenshot({ path: join(pictures, `${basename(dirname(resolve(report)))}-${name}.png`), fullPage: true });
    }
    await page.close();
    // Then with the checker let in, everything unfolded.
    const open = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
    const tested = await open.newPage();
    await tested.goto(url);
    await tested.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    await tested.addScriptTag({ content: axe });
    const { violations, passes } = await tested.evaluate(() => window.axe.run());
    for (const { id, help, nodes } of violations) {
      wrong.push(`${id}: ${help} (${nodes.length}, first ${nodes[0].html.slice(0, 160)})`);
    }
    await open.close();
    console.log(`${report} at ${name}: ${passes.length} rules pass, ${wrong.length} findings`);
    for (const what of wrong) console.log(`  ${what}`);
    failed ||= wrong.length > 0;
  }
  if (pictures !== "-") {
    const page = await browser.newPage();
    await page.goto(url);
    await page.pdf({ path: join(pictures, `${basename(dirname(resolve(report)))}.pdf`), format: "A4", margin: { top: "15mm", bottom: "15mm", left: "15mm", right: "15mm" } });
    await page.close();
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
