//! Remembers which settings were given, and whether by a variable or an option. It must not know any single setting.

/// The settings that were given: one bit for each, by its place in the list. Does not count when configurations are compared.
#[derive(Clone, Copy, Default)]
pub(super) struct Sources {
    variables: u128,
    options: u128,
}

impl PartialEq for Sources {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Sources {
    /// Remembers where the setting at this place of the list was given. The last source counts, as its value does.
    pub(super) fn remember(&mut self, at: usize, is_variable: bool) {
        let (to, from) = if is_variable {
            (&mut self.variables, &mut self.options)
        } else {
            (&mut self.options, &mut self.variables)
        };
        *to |= 1 << at;
        *from &= !(1 << at);
    }

    pub(super) const fn is_variable(self, at: usize) -> bool {
        self.variables & (1 << at) != 0
    }

    pub(super) const fn is_option(self, at: usize) -> bool {
        self.options & (1 << at) != 0
    }
}
