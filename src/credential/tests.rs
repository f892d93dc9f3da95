use super::*;
use crate::request::Entry;

fn request(headers: &[(&'static str, &'static str)]) -> Request<'static> {
    let headers = headers.iter().map(|(name, value)| Entry {
        name: name.as_bytes().into(),
        value: value.as_bytes().into(),
    });
    Request {
        headers: headers.collect(),
        ..Request::default()
    }
}

fn bearer_only() -> Vec<Source> {
    vec![Source::Bearer("authorization".into())]
}

fn find(
    headers: &[(&'static str, &'static str)],
    sources: &[Source],
) -> Result<Option<String>, CredentialError> {
    Credential::find(&request(headers), sources)
        .map(|found| found.map(|token| token.expose().to_owned()))
}

#[test]
fn brr_01_the_scheme_is_case_insensitive_and_spaces_may_be_many() {
    for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"] {
        assert_eq!(
            find(&[("authorization", value)], &bearer_only()),
            Ok(Some("a.b.c".into())),
            "{value}"
        );
    }
}

#[test]
fn brr_01_a_bearer_without_one_token_is_malformed() {
    for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer\ta"] {
        assert_eq!(
            find(&[("authorization", value)], &bearer_only()),
            Err(CredentialError::Malformed),
            "{value}"
        );
    }
}

#[test]
fn another_scheme_is_no_credential() {
    for value in [
        "Basic YTpi",
        "",
        "Bearers x",
        "Digest a=b, c=d",
        "Negotiate",
    ] {
        assert_eq!(
            find(&[("authorization", value)], &bearer_only()),
            Ok(None),
            "{value}"
        );
    }
}

#[test]
fn brr_02_env_05_joined_and_repeated_headers_are_several_credentials() {
    for value in [
        "Bearer a,Bearer b",
        "Bearer a, Bearer a",
        "Basic x,Bearer a",
        "Basic x, bearer",
        "Bearer a,",
    ] {
        assert_eq!(
            find(&[("authorization", value)], &bearer_only()),
            Err(CredentialError::Several),
            "{value}"
        );
    }
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer a")];
    assert_eq!(find(&twice, &bearer_only()), Err(CredentialError::Several));
}

#[test]
fn brr_02_two_sources_must_hold_the_same_token() {
    let sources = [
        Source::Bearer("authorization".into()),
        Source::Header("x-token".into()),
    ];
    let same = [("authorization", "Bearer a"), ("x-token", "a")];
    assert_eq!(find(&same, &sources), Ok(Some("a".into())));
    let other = [("authorization", "Bearer a"), ("x-token", "b")];
    assert_eq!(find(&other, &sources), Err(CredentialError::Several));
}

#[test]
fn brr_03_a_token_in_the_query_is_not_looked_at() {
    let mut request = request(&[]);
    request.target = "/?access_token=a.b.c".into();
    assert_eq!(Credential::find(&request, &bearer_only()), Ok(None));
}

#[test]
fn a_cookie_is_found_by_its_exact_name_however_cookies_are_joined() {
    let sources = [Source::Cookie("session".into())];
    for (cookie, expected) in [
        ("session=a.b.c", Some("a.b.c")),
        ("x=1; session=a.b.c; y=2", Some("a.b.c")),
        ("x=1,session=a.b.c", Some("a.b.c")),
        ("session=\"a.b.c\"", Some("a.b.c")),
        ("xsession=1; sessionx=2; Session=3", None),
    ] {
        assert_eq!(
            find(&[("cookie", cookie)], &sources),
            Ok(expected.map(str::to_owned)),
            "{cookie}"
        );
    }
    assert_eq!(
        find(&[("cookie", "session=a; session=b")], &sources),
        Err(CredentialError::Several)
    );
    assert_eq!(
        find(
            &[("cookie", "session=a"), ("cookie", "session=b")],
            &sources
        ),
        Err(CredentialError::Several)
    );
    assert_eq!(
        find(&[("cookie", "session=")], &sources),
        Err(CredentialError::Malformed)
    );
}

#[test]
fn a_credential_never_shows_itself() {
    assert_eq!(format!("{:?}", Credential("secret")), "Credential(…)");
}
