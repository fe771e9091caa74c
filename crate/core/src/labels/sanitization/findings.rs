//! The kinds of things that should not be in a label, and what may be done about each.

/// What should not be in a label. In the order of how bad it is to show: where two overlap, the first gives its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// A key with a well-known prefix, or a private key in PEM.
    ApiKey,
    /// A bearer token, a JSON web token, other credentials of an `Authorization` header, the password of a URL.
    Token,
    /// The number of a payment card.
    CardNumber,
    /// An e-mail address.
    Email,
    /// A UUID with its dashes.
    Uuid,
    /// A date with a time, or a whole value that counts seconds or milliseconds since 1970.
    Timestamp,
}

/// What is done about a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Action {
    /// Not looked for.
    #[default]
    Keep,
    /// The value stays; the finding is reported.
    Warn,
    /// The part that was found is replaced by a word such as `[email]`.
    Redact,
    /// The value becomes empty, which to Prometheus is a label that is not there.
    Drop,
}

/// The action for each kind. By default what is secret or personal is redacted, and what merely makes series without
/// end is warned of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detections {
    /// Default: `Redact`.
    pub api_key: Action,
    /// Default: `Redact`.
    pub token: Action,
    /// Default: `Redact`.
    pub card_number: Action,
    /// Default: `Redact`.
    pub email: Action,
    /// Default: `Warn`.
    pub uuid: Action,
    /// Default: `Warn`.
    pub timestamp: Action,
}

/// One thing that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// What was done about it; never `Keep`.
    pub action: Action,
}

/// What was found in one value, each kind at most once. Holds no memory of its own and nothing of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Findings {
    /// By the kind's number; `Keep` where nothing was found.
    actions: [Action; FindingKind::ALL.len()],
}

impl FindingKind {
    /// Every kind, the worst to show first.
    pub const ALL: [Self; 6] =
        [Self::ApiKey, Self::Token, Self::CardNumber, Self::Email, Self::Uuid, Self::Timestamp];

    /// The kind as options name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "apiKey",
            Self::Token => "token",
            Self::CardNumber => "cardNumber",
            Self::Email => "email",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamp",
        }
    }

    /// The kind that options name so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What a value shows in place of a part of this kind. None of them is found again.
    #[must_use]
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::ApiKey => "[api-key]",
            Self::Token => "[token]",
            Self::CardNumber => "[card]",
            Self::Email => "[email]",
            Self::Uuid => "[uuid]",
            Self::Timestamp => "[timestamp]",
        }
    }
}

impl Action {
    /// Every action, the mildest first.
    pub const ALL: [Self; 4] = [Self::Keep, Self::Warn, Self::Redact, Self::Drop];

    /// The action as options name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Drop => "drop",
        }
    }

    /// The action that options name so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

impl Default for Detections {
    fn default() -> Self {
        Self { uuid: Action::Warn, timestamp: Action::Warn, ..Self::all(Action::Redact) }
    }
}

impl Detections {
    /// The same action for every kind.
    #[must_use]
    pub const fn all(action: Action) -> Self {
        Self {
            api_key: action,
            token: action,
            card_number: action,
            email: action,
            uuid: action,
            timestamp: action,
        }
    }

    /// The action for a kind.
    #[must_use]
    pub const fn of(&self, kind: FindingKind) -> Action {
        match kind {
            FindingKind::ApiKey => self.api_key,
            FindingKind::Token => self.token,
            FindingKind::CardNumber => self.card_number,
            FindingKind::Email => self.email,
            FindingKind::Uuid => self.uuid,
            FindingKind::Timestamp => self.timestamp,
        }
    }

    /// Sets the action for a kind.
    pub const fn set(&mut self, kind: FindingKind, action: Action) {
        match kind {
            FindingKind::ApiKey => self.api_key = action,
            FindingKind::Token => self.token = action,
            FindingKind::CardNumber => self.card_number = action,
            FindingKind::Email => self.email = action,
            FindingKind::Uuid => self.uuid = action,
            FindingKind::Timestamp => self.timestamp = action,
        }
    }
}

impl Findings {
    /// What was found, the worst to show first.
    pub fn iter(&self) -> impl Iterator<Item = Finding> {
        let found = FindingKind::ALL.into_iter().zip(self.actions);
        found.filter(|(_, action)| *action != Action::Keep).map(|(kind, action)| Finding { kind, action })
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions == [Action::Keep; FindingKind::ALL.len()]
    }

    pub(super) fn any(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    /// Takes in what another look found; it found nothing else of the same kind.
    pub(super) fn add(&mut self, other: Self) {
        other.iter().for_each(|finding| self.note(finding.kind, finding.action));
    }

    pub(super) fn note(&mut self, kind: FindingKind, action: Action) {
        self.actions[kind as usize] = action;
    }
}
