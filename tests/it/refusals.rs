//! `docs/refusals.md` and the codes of the program are the same.

use subgate::decision::Code;
use subgate::decision::refusal::Blame;

/// The rows of the table: the cells of each, code first.
fn rows() -> Vec<Vec<String>> {
    let text = include_str!("../../docs/refusals.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    })
    .collect()
}

/// What Envoy makes of an HTTP status for a gRPC caller (gRPC, "HTTP to gRPC status code mapping").
fn grpc_status(code: Code) -> &'static str {
    match code.default_status() {
        401 => "UNAUTHENTICATED",
        // `tenant_missing` is sent to a gRPC caller as 403: 400 would become INTERNAL.
        400 | 403 => "PERMISSION_DENIED",
        503 => "UNAVAILABLE",
        other => panic!("{code}: {other} has no row"),
    }
}

#[test]
fn every_code_has_its_row_in_the_order_of_the_program_and_every_row_its_code() {
    let rows = rows();
    let written: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(written, codes);
}

#[test]
fn each_row_has_the_programs_status_blame_and_a_way_out_for_client_and_operator() {
    for (row, &code) in rows().iter().zip(Code::ALL) {
        let [_, http, grpc, when, fault, client, operator] = row.as_slice() else {
            panic!("expected seven cells: {row:?}");
        };
        assert_eq!(*http, code.default_status().to_string(), "{code}");
        assert_eq!(grpc, grpc_status(code), "{code}");
        let blamed = match code.blame() {
            Blame::Caller => "caller",
            Blame::Dependency => "dependency",
            Blame::Us => "operator",
        };
        assert_eq!(fault, blamed, "{code}");
        for cell in [when, client, operator] {
            assert!(cell.len() > 10, "{code}: {cell:?}");
        }
    }
}

#[test]
fn names_of_codes_are_unique_and_read_back() {
    for &code in Code::ALL {
        assert_eq!(Code::parse(code.as_str()), Some(code));
        let shape = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(code.as_str().chars().all(shape), "{code}");
        assert!(!code.default_message().is_empty() && !code.default_message().ends_with('.'));
    }
    assert_eq!(Code::parse("TOKEN_MISSING"), None);
}
