use super::*;
use clap::CommandFactory;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_misspelled_flag_is_answered_with_the_nearest_one() {
    let error = Cli::try_parse_from(["subgate", "check", "--confg", "x"]).unwrap_err();
    assert!(error.to_string().contains("'--config'"), "{error}");
}

#[test]
fn every_command_shows_an_example() {
    for command in Cli::command().get_subcommands_mut() {
        let help = command.render_help().to_string();
        assert!(help.contains("Example:"), "{help}");
    }
}
