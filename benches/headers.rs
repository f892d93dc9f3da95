//! The request that a browser behind a load balancer sends, but for its credential.

/// Method, path and host of every request.
pub(crate) const METHOD: &str = "GET";
pub(crate) const PATH: &str = "/api/v1/orders?page=2&per_page=50&sort=-created_at";
pub(crate) const HOST: &str = "api.shop.example.com";

/// Its headers, in the order sent.
pub(crate) const HEADERS: [(&str, &str); 20] = [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ),
    ("accept", "application/json, text/plain, */*"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("cache-control", "no-cache"),
    ("pragma", "no-cache"),
    ("origin", "https://www.shop.example.com"),
    (
        "referer",
        "https://www.shop.example.com/account/orders?page=2",
    ),
    (
        "sec-ch-ua",
        "\"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"",
    ),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-site"),
    ("priority", "u=1, i"),
    ("dnt", "1"),
    ("x-requested-with", "XMLHttpRequest"),
    ("x-client-version", "2026.8.3"),
    ("x-forwarded-for", "203.0.113.17"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
];
