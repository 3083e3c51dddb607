//! Old versions, what killed runs leave behind, and what a machine can do.

use std::fs;

use crate::{
    commit,
    support::{whalecurve, without_stages},
};

#[test]
fn so_many_old_versions_stay_beside_the_output_until_they_are_cleaned_away() {
    let job = commit::job();
    let config = fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    fs::write(job.path("whalecurve.yaml"), config.replace("output: out", "output: out\nkeep_versions: 1")).unwrap();
    let digests: Vec<_> = ["1", "2", "3"].map(|seed| job.run(&["--seed", seed])["result_digest"].clone()).into();
    let digest_in = |folder: &str| -> serde_json::Value {
        let text = fs::read_to_string(job.path(folder).join("run_manifest.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["result_digest"].clone()
    };
    let hidden = || {
        let names = fs::read_dir(job.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
        names.sort();
        names
    };
    assert_eq!(hidden(), [".version-out-2"]);
    assert_eq!((digest_in(".version-out-2"), digest_in("out")), (digests[1].clone(), digests[2].clone()));

    fs::create_dir(job.path(".staging-out-99")).unwrap();
    let output = job.path("out");
    let clean = |more: &[&str]| {
        let done = whalecurve(&[&["clean", output.to_str().unwrap()], more].concat());
        assert!(done.status.success());
        job.without_folder(&done.stderr)
    };
    assert_eq!(clean(&[]), "removed .staging-out-99\n");
    assert_eq!(clean(&["--versions"]), "removed .version-out-2\n");
    assert!(hidden().is_empty());
    assert_eq!(digest_in("out"), digests[2]);
}

#[test]
fn a_doctor_tells_what_a_folder_can_do_and_leaves_nothing_there() {
    let job = commit::job();
    let before = fs::read_dir(job.path("")).unwrap().count();
    let folder = job.path("");
    let done = whalecurve(&["doctor", folder.to_str().unwrap()]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{told}");
    for part in ["can be written", "has locks", " cores;"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(fs::read_dir(job.path("")).unwrap().count(), before);

    let absent = job.path("absent");
    let done = whalecurve(&["doctor", absent.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8(done.stderr).unwrap().contains("\nbad   "));
}

#[test]
fn completions_and_the_manual_page_know_every_command() {
    let help = String::from_utf8(whalecurve(&["--help"]).stdout).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 12, "{commands:?}");
    let (bash, man) = (whalecurve(&["completions", "bash"]), whalecurve(&["man"]));
    let (bash, man) = (String::from_utf8(bash.stdout).unwrap(), String::from_utf8(man.stdout).unwrap());
    for command in commands {
        assert!(bash.contains(command) && man.contains(command), "{command}");
    }
    assert_eq!(without_stages("facts   0.1 s   12 MiB\nerror: x\n"), "error: x\n");
}
