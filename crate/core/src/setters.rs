//! Setters for structs of settings. Such structs are `non_exhaustive`, so that a new setting breaks no program: other
//! crates start from a constructor and change fields, `AuthConfig::default().failure_burst(5)`.

/// Gives a struct one method a field, of the field's name, that sets it and returns the struct.
macro_rules! setters {
    ($name:ident $(<$life:lifetime>)? { $($field:ident: $value:ty),+ $(,)? }) => {
        impl $(<$life>)? $name $(<$life>)? {
            $(
                #[doc = concat!("Sets the field `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }
    };
}
