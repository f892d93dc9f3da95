use super::*;

fn run_with(arguments: &[&str]) -> Outcome {
    run(["subgate"].iter().chain(arguments).map(OsString::from))
}

#[test]
fn the_command_line_is_consistent() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}

#[test]
fn wrong_usage_exits_with_64() {
    assert_eq!(run_with(&["chekc"]), Outcome::Usage);
    assert_eq!(run_with(&["check", "--confg", "x"]), Outcome::Usage);
    assert_eq!(run_with(&["check"]), Outcome::Usage);
    assert_eq!(run_with(&[]), Outcome::Usage);
}

#[test]
fn help_and_version_are_no_mistakes() {
    assert_eq!(run_with(&["--help"]), Outcome::Done);
    assert_eq!(run_with(&["--version"]), Outcome::Done);
}

#[test]
fn a_misspelled_flag_is_answered_with_the_nearest_one() {
    let error = Cli::try_parse_from(["subgate", "check", "--confg", "x"]).unwrap_err();
    assert!(error.to_string().contains("'--config'"), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    assert_eq!(
        run_with(&["check", "--config", "/nowhere/subgate.yaml"]),
        Outcome::Refused
    );
}

#[test]
fn every_command_shows_an_example() {
    use clap::CommandFactory;
    for command in Cli::command().get_subcommands_mut() {
        let help = command.render_help().to_string();
        assert!(help.contains("Example:"), "{help}");
    }
}
