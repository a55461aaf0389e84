//! One row of the table: a request, and what is answered.

/// A request that can be made.
#[derive(Debug)]
pub(super) struct Row {
    /// In capitals.
    pub(super) method: &'static str,
    pub(super) path: String,
    /// The same at other addresses.
    pub(super) also: Vec<String>,
    pub(super) summary: &'static str,
    pub(super) door: Door,
    /// Names of `params.rs`, with spaces.
    pub(super) asks: Vec<&'static str>,
    pub(super) takes: Option<Taken>,
    pub(super) gives: Vec<Given>,
    /// Events of a stream, and the types of their data.
    pub(super) events: Vec<(&'static str, &'static str)>,
    pub(super) refuses: Vec<(u16, Vec<&'static str>)>,
    pub(super) errors: Errors,
}

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The control token or a session.
    Control,
    /// The control token alone.
    Token,
    /// A client key.
    Client,
    /// Nothing is needed.
    Open,
}

/// The shape of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errors {
    Control,
    Anthropic,
    OpenAi,
    Google,
    /// As the caller speaks.
    Either,
    /// None has a shape.
    None,
}

/// A body that is sent.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) is: &'static str,
    pub(super) needed: bool,
    /// It may also be a form.
    pub(super) form: bool,
}

/// An answer. `is` is a type, `[TYPE]` a list of it; empty: nothing is said of what is in it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) status: u16,
    pub(super) media: &'static str,
    pub(super) is: &'static str,
}

pub(super) const JSON: &str = "application/json";
pub(super) const STREAM: &str = "text/event-stream";
pub(super) const FORM: &str = "multipart/form-data";

/// A request to the control plane.
pub(super) fn control(method: &'static str, path: &str, summary: &'static str) -> Row {
    let row = Row::new(method, path, summary, Door::Control, Errors::Control);
    row.refuses(401, "control_token_needed session_ended").refuses(403, "foreign_request")
}

/// A request to the data plane, with an answer in the shape of OpenAI's where it fails. `also` what everything there is.
pub(super) fn data(method: &'static str, below: &str, summary: &'static str) -> Row {
    let mut row = Row::new(method, &format!("/v1{below}"), summary, Door::Client, Errors::OpenAi);
    row.also.push(format!("/v1/v1{below}"));
    row
}

/// A request that Google's clients make.
pub(super) fn google(method: &'static str, below: &str, summary: &'static str) -> Row {
    Row::new(method, &format!("/v1beta{below}"), summary, Door::Client, Errors::Google)
}

// === impl Row ===

impl Row {
    pub(super) fn new(method: &'static str, path: &str, summary: &'static str, door: Door, errors: Errors) -> Self {
        Self {
            method,
            path: path.to_owned(),
            also: Vec::new(),
            summary,
            door,
            asks: Vec::new(),
            takes: None,
            gives: Vec::new(),
            events: Vec::new(),
            refuses: Vec::new(),
            errors,
        }
    }

    /// Also below the base address of a Codex.
    pub(super) fn of_codex(self) -> Self {
        let below = self.path.strip_prefix("/v1").unwrap_or(&self.path);
        let path = format!("/backend-api/codex{below}");
        self.at(&path)
    }

    /// Also at another address.
    pub(super) fn at(mut self, path: &str) -> Self {
        self.also.push(path.to_owned());
        self
    }

    /// With the control token alone.
    pub(super) fn token(mut self) -> Self {
        self.door = Door::Token;
        self.refuses(403, "token_needed")
    }

    /// What may stand behind the question mark.
    pub(super) fn asks(mut self, names: &'static str) -> Self {
        self.asks.extend(names.split(' '));
        if self.errors == Errors::Control { self.refuses(400, "bad_request") } else { self }
    }

    /// A body of that type.
    pub(super) fn takes(mut self, is: &'static str) -> Self {
        self.takes = Some(Taken { is, needed: true, form: false });
        self.body()
    }

    /// The same, which may also come as a form.
    pub(super) fn takes_a_form_of(mut self, is: &'static str) -> Self {
        self.takes = Some(Taken { is, needed: true, form: true });
        self.body()
    }

    /// The same, that may be missing.
    pub(super) fn may_take(mut self, is: &'static str) -> Self {
        self.takes = Some(Taken { is, needed: false, form: false });
        self.body()
    }

    fn body(self) -> Self {
        if self.errors != Errors::Control {
            return self;
        }
        self.refuses(400, "bad_json bad_request").refuses(413, "too_large").refuses(415, "json_needed")
    }

    /// 200, and JSON of that type.
    pub(super) fn gives(self, is: &'static str) -> Self {
        self.gives_as(200, JSON, is)
    }

    /// 204.
    pub(super) fn gives_nothing(self) -> Self {
        self.gives_as(204, "", "")
    }

    pub(super) fn gives_as(mut self, status: u16, media: &'static str, is: &'static str) -> Self {
        self.gives.push(Given { status, media, is });
        self
    }

    /// 200, and a stream whose events have these names and data of these types.
    pub(super) fn streams(mut self, events: &[(&'static str, &'static str)]) -> Self {
        self.events.extend_from_slice(events);
        self.gives_as(200, STREAM, "")
    }

    /// With that status, for these reasons.
    pub(super) fn refuses(mut self, status: u16, codes: &'static str) -> Self {
        let codes = codes.split(' ').filter(|code| !code.is_empty());
        match self.refuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, known)) => known.extend(codes),
            None => self.refuses.push((status, codes.collect())),
        }
        self
    }

    /// An account in the path may not be there.
    pub(super) fn of_account(self) -> Self {
        self.refuses(404, "unknown_account").refuses(409, "ambiguous_account")
    }

    /// What may happen to whatever changes an account.
    pub(super) fn changes_account(self) -> Self {
        self.of_account().refuses(409, "account_busy").refuses(500, "vault_failed")
    }

    /// The request log is read.
    pub(super) fn reads_log(self) -> Self {
        self.refuses(400, "bad_parameter").refuses(500, "request_log_failed")
    }

    /// Files of a client are read or written.
    pub(super) fn of_client(self) -> Self {
        self.refuses(404, "unknown_client unknown_target no_home")
            .refuses(409, "by_hand obstacle changed_meanwhile read_only")
            .refuses(422, "unreadable_file")
            .refuses(500, "client_files_failed keys_failed")
    }

    /// As every exchange can fail, each in a way of its own.
    pub(super) fn exchange(self, errors: Errors) -> Self {
        let mut row = self;
        row.errors = errors;
        let overloaded = if errors == Errors::Anthropic { 529 } else { 503 };
        let statuses = [400, 401, 402, 403, 404, 408, 413, 415, 429, 500, 502, 503, 504, overloaded];
        statuses.into_iter().fold(row, |row, status| row.refuses(status, ""))
    }

    /// Answered here, without an upstream.
    pub(super) fn local(self, errors: Errors) -> Self {
        let mut row = self;
        row.errors = errors;
        [401, 403].into_iter().fold(row, |row, status| row.refuses(status, ""))
    }
}
