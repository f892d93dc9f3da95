//! Paths that everybody reads alike.

/// Whether everybody who reads a path reads the same one.
///
/// What a server may decode, merge or resolve in its own way (`//`, dot segments, `;`, `\`,
/// percent-encoded separators, dots, percent signs and NUL, anything outside visible ASCII) is no
/// ground for a decision.
pub fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b';' | b'#'))
        && !path.contains("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
        && path.split('%').skip(1).all(|rest| {
            let code = rest.get(..2).map(str::to_ascii_lowercase);
            !matches!(
                code.as_deref(),
                None | Some("2f" | "5c" | "2e" | "25" | "00")
            )
        })
}
