//! The sidecar's configuration file, section by section: what a test does not say stays ordinary.

use super::issuer::Issuer;
use super::sidecar::Place;
use super::users::Users;
use std::fs;
use std::path::Path;

/// A configuration file in the making.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    check: Check,
    listen: String,
    issuers: Vec<String>,
    users: String,
    more: String,
    files: Vec<(&'static str, String)>,
}

/// Where Envoy asks.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// At the place's socket.
    Socket,
    /// At an abstract socket of this name.
    Abstract(String),
    /// At the place's TCP address.
    Tcp,
}

impl Configuration {
    /// One issuer, `acme`, for `shop-api`, and a user service that is asked by realm and tenant; the
    /// tenant comes from a claim or a header.
    pub(crate) fn new(issuer: &Issuer, users: &Users) -> Self {
        Self::asking(issuer, &users.url())
    }

    /// The same with a user service at this URL.
    pub(crate) fn asking(issuer: &Issuer, users: &str) -> Self {
        Self {
            check: Check::Socket,
            listen: String::new(),
            issuers: vec![entry(&issuer.url(), "acme", "")],
            users: format!(
                "users:\n  http:\n    \
                 url: {users}/v1/realms/{{realm}}/tenants/{{tenant}}/users/{{subject}}\n    \
                 not_found: {{code: user_not_found}}\n    \
                 attributes: {{email: /email, plan: /plan}}\n    \
                 required: [email]\n"
            ),
            files: Vec::new(),
            more: "tenant:\n  from: [{claim: tenant}, {header: x-tenant-id}]\n".to_owned(),
        }
    }

    /// Envoy asks elsewhere.
    pub(crate) fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    /// More members of `listen`, lines of YAML without indentation.
    pub(crate) fn listen(mut self, members: &str) -> Self {
        self.listen += &indented(members);
        self
    }

    /// Other members for the first issuer, lines of YAML without indentation.
    pub(crate) fn issuer(mut self, url: &str, members: &str) -> Self {
        self.issuers[0] = entry(url, "acme", members);
        self
    }

    /// An issuer more.
    pub(crate) fn and_issuer(mut self, url: &str, name: &str, members: &str) -> Self {
        self.issuers.push(entry(url, name, members));
        self
    }

    /// More members of `users`, lines of YAML without indentation.
    pub(crate) fn users(mut self, members: &str) -> Self {
        self.users += &indented(members);
        self
    }

    /// Another directory, lines of YAML without indentation.
    pub(crate) fn directory(mut self, members: &str) -> Self {
        self.users = format!("users:\n{}", indented(members));
        self
    }

    /// Another section, or several, instead of `tenant`.
    pub(crate) fn sections(mut self, text: &str) -> Self {
        text.clone_into(&mut self.more);
        self
    }

    /// Another section, or several.
    pub(crate) fn and_sections(mut self, text: &str) -> Self {
        self.more += text;
        self
    }

    /// With a file beside it; `{folder}` in the configuration is where that is.
    pub(crate) fn file(mut self, name: &'static str, text: &str) -> Self {
        self.files.push((name, text.to_owned()));
        self
    }

    /// Writes the files beside it, and gives the file for a place.
    pub(crate) fn install(&self, place: &Place) -> String {
        for (name, text) in &self.files {
            place.write(name, text);
        }
        self.text(place)
    }

    /// The file for a process that chooses its own ports, with the files beside it in a folder.
    pub(crate) fn in_folder(&self, folder: &Path) -> String {
        for (name, text) in &self.files {
            fs::write(folder.join(name), text).expect("a file is written");
        }
        let folder = folder.display().to_string();
        self.listening(&format!("unix:{folder}/check.sock"), "127.0.0.1:0", &folder)
    }

    /// The file, for a place.
    pub(crate) fn text(&self, place: &Place) -> String {
        let check = match &self.check {
            Check::Socket => format!("unix:{}?mode=0600", place.socket()),
            Check::Abstract(name) => format!("unix:@{name}"),
            Check::Tcp => place.check.to_string(),
        };
        self.listening(&check, &place.health.to_string(), &place.folder())
    }

    fn listening(&self, check: &str, health: &str, folder: &str) -> String {
        let text = format!(
            "listen:\n  check: ['{check}']\n  health: {health}\n  drain: 3s\n  stop_within: 5s\n{}\
             issuers:\n{}{}{}\
             telemetry: {{log: {{level: info, format: json, decisions: all}}}}\n",
            self.listen,
            self.issuers.concat(),
            self.users,
            self.more,
        );
        text.replace("{folder}", folder)
    }
}

fn entry(url: &str, name: &str, members: &str) -> String {
    let audiences = if members.contains("audiences:") {
        ""
    } else {
        "  audiences: [shop-api]\n"
    };
    format!(
        "- issuer: {url}\n  name: {name}\n{audiences}{}",
        indented(members)
    )
}

fn indented(members: &str) -> String {
    let lines: Vec<String> = members.lines().map(|line| format!("  {line}\n")).collect();
    lines.concat()
}
