//! The kinds of content that should not be in a label, and the actions for each.

/// A kind of content that should not be in a label. The kinds are ordered by how bad it is to show them: where two
/// overlap, the first is named.
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
    /// A date with a time; or a value that is only a count of seconds or milliseconds since 1970.
    Timestamp,
}

/// The action for a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Action {
    /// It is not looked for.
    #[default]
    Keep,
    /// The value stays; the finding is reported.
    Warn,
    /// The matching part is replaced by a placeholder such as `[email]`.
    Redact,
    /// The value becomes empty, which Prometheus treats as an absent label.
    Drop,
}

/// The action for each kind. By default secrets and personal data are redacted, and content that only makes endless
/// series is warned of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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

setters!(Detections {
    api_key: Action,
    token: Action,
    card_number: Action,
    email: Action,
    uuid: Action,
    timestamp: Action,
});

/// One finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// What was done; never `Keep`.
    pub action: Action,
}

/// The findings of one value, each kind at most once. It allocates no memory and holds no part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Findings {
    /// By the kind's number; `Keep` if the kind was not found.
    actions: [Action; FindingKind::ALL.len()],
}

impl FindingKind {
    /// Every kind; the worst to show comes first.
    pub const ALL: [Self; 6] =
        [Self::ApiKey, Self::Token, Self::CardNumber, Self::Email, Self::Uuid, Self::Timestamp];

    /// The kind's name in options.
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

    /// The kind with this name in options.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The placeholder for a part of this kind. No placeholder is found as content again.
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
    /// Every action; the mildest comes first.
    pub const ALL: [Self; 4] = [Self::Keep, Self::Warn, Self::Redact, Self::Drop];

    /// The action's name in options.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Drop => "drop",
        }
    }

    /// The action with this name in options.
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
    /// The findings; the worst to show comes first.
    pub fn iter(&self) -> impl Iterator<Item = Finding> {
        let found = FindingKind::ALL.into_iter().zip(self.actions);
        found.filter(|(_, action)| *action != Action::Keep).map(|(kind, action)| Finding { kind, action })
    }

    /// True if there are no findings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions == [Action::Keep; FindingKind::ALL.len()]
    }

    pub(super) fn any(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    /// Adds the findings of another look. Neither has an action that the other would overwrite with a different one.
    pub(super) fn add(&mut self, other: Self) {
        other.iter().for_each(|finding| self.note(finding.kind, finding.action));
    }

    pub(super) fn note(&mut self, kind: FindingKind, action: Action) {
        self.actions[kind as usize] = action;
    }
}
