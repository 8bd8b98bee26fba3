//! Application variables: declared in the manifest, set on the command line or in the
//! environment, and reaching a component only through the templates of its own section.
//!
//! The rules are Spin's: <https://spinframework.dev/v3/variables>.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// One entry of the manifest's `[variables]` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declaration {
    /// The value when nothing sets another one.
    pub(crate) default: Option<String>,
    /// Whether starting without a value is an error.
    #[serde(default)]
    pub(crate) required: bool,
    /// Whether the value is a secret. It is kept out of every log either way.
    #[serde(default, rename = "secret")]
    pub(crate) _secret: bool,
    /// A note for the reader of the manifest.
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
}

/// Why the variables of an application cannot be settled.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum VariableError {
    #[error(
        "the required variable `{name}` is not set: pass --variable {name}=VALUE \
         or set {environment_name} in the environment"
    )]
    Unset { name: String, environment_name: String },
    #[error("--variable {name}: the manifest declares no such variable; declared are: {declared}")]
    Undeclared { name: String, declared: String },
    #[error("[variables] {name}: give it either a `default` or `required = true`")]
    NeitherDefaultNorRequired { name: String },
    #[error(
        "[variables] {name}: names are lower-case letters, digits and single underscores, \
         starting with a letter"
    )]
    BadName { name: String },
    #[error("the template {template:?} has an opening `{{{{` without its `}}}}`")]
    UnclosedTemplate { template: String },
    #[error("the template {template:?} names the variable `{name}`, which is not declared")]
    UnknownInTemplate { template: String, name: String },
}

/// The settled values of all application variables. Values never show in `Debug`.
#[derive(Default)]
pub(crate) struct ApplicationVariables(BTreeMap<String, String>);

impl ApplicationVariables {
    /// Settles every declared variable: `overrides` first, then `SPIN_VARIABLE_<NAME>` as read by
    /// `environment`, then the declared default.
    ///
    /// # Errors
    /// A required variable without a value, an override of an undeclared name, a bad declaration.
    pub(crate) fn settle(
        declarations: &BTreeMap<String, Declaration>,
        overrides: &[(String, String)],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        if let Some((name, _)) = overrides.iter().find(|(name, _)| !declarations.contains_key(name))
        {
            return Err(VariableError::Undeclared {
                name: name.clone(),
                declared: declarations.keys().cloned().collect::<Vec<_>>().join(", "),
            });
        }
        let mut values = BTreeMap::new();
        for (name, declaration) in declarations {
            if !is_variable_name(name) {
                return Err(VariableError::BadName { name: name.clone() });
            }
            if declaration.default.is_some() == declaration.required {
                return Err(VariableError::NeitherDefaultNorRequired { name: name.clone() });
            }
            let environment_name = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            let given = overrides.iter().rev().find(|(given, _)| given == name);
            let value = given
                .map(|(_, value)| value.clone())
                .or_else(|| environment(&environment_name))
                .or_else(|| declaration.default.clone())
                .ok_or_else(|| VariableError::Unset { name: name.clone(), environment_name })?;
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// Replaces every `{{ name }}` of a template by the variable's value.
    ///
    /// # Errors
    /// An unclosed `{{`, or a name that is not declared.
    pub(crate) fn expand(&self, template: &str) -> Result<String, VariableError> {
        let mut expanded = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once("{{") {
            expanded.push_str(literal);
            let Some((name, after)) = after.split_once("}}") else {
                return Err(VariableError::UnclosedTemplate { template: template.to_owned() });
            };
            let name = name.trim();
            let Some(value) = self.0.get(name) else {
                return Err(VariableError::UnknownInTemplate {
                    template: template.to_owned(),
                    name: name.to_owned(),
                });
            };
            expanded.push_str(value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// The variables of one component: its `[component.x.variables]` templates, expanded.
    ///
    /// # Errors
    /// As [`ApplicationVariables::expand`].
    pub(crate) fn of_component(
        &self,
        templates: &BTreeMap<String, String>,
    ) -> Result<ComponentVariables, VariableError> {
        let mut values = BTreeMap::new();
        for (name, template) in templates {
            if !is_variable_name(name) {
                return Err(VariableError::BadName { name: name.clone() });
            }
            values.insert(name.clone(), self.expand(template)?);
        }
        Ok(ComponentVariables(values))
    }
}

impl fmt::Debug for ApplicationVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What one component may read through `spin:variables`. Values never show in `Debug`.
#[derive(Default)]
pub(crate) struct ComponentVariables(BTreeMap<String, String>);

impl ComponentVariables {
    /// The value of a variable of this component, or `None` when its section has no such name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for ComponentVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Whether `name` is one Spin accepts: `[a-z][a-z0-9]*` words joined by single underscores.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('_').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    fn declarations() -> BTreeMap<String, Declaration> {
        let with_default = |default: &str| Declaration {
            default: Some(default.to_owned()),
            ..Declaration::default()
        };
        let required = Declaration { required: true, ..Declaration::default() };
        BTreeMap::from([
            ("region".to_owned(), with_default("cn-shanghai")),
            ("scheme".to_owned(), with_default("https")),
            ("token".to_owned(), required),
        ])
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn settled(overrides: &[(&str, &str)]) -> Result<ApplicationVariables, VariableError> {
        let overrides: Vec<_> =
            overrides.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        ApplicationVariables::settle(&declarations(), &overrides, nothing)
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error = settled(&[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the required variable `token` is not set: pass --variable token=VALUE \
             or set SPIN_VARIABLE_TOKEN in the environment"
        );
    }

    #[test]
    fn an_override_wins_over_the_environment_and_the_environment_over_the_default() {
        let environment = |name: &str| match name {
            "SPIN_VARIABLE_REGION" => Some("from-environment".to_owned()),
            "SPIN_VARIABLE_TOKEN" => Some("from-environment".to_owned()),
            _ => None,
        };
        let overrides = [("token".to_owned(), "from-override".to_owned())];
        let variables =
            ApplicationVariables::settle(&declarations(), &overrides, environment).unwrap();
        let expanded = variables.expand("{{ scheme }} {{region}} {{ token}}").unwrap();
        assert_eq!(expanded, "https from-environment from-override");
    }

    #[test]
    fn an_override_of_an_undeclared_name_is_refused() {
        let error = settled(&[("token", "t"), ("regoin", "x")]).unwrap_err();
        assert!(matches!(error, VariableError::Undeclared { name, .. } if name == "regoin"));
    }

    #[test]
    fn a_declaration_needs_a_default_or_required_and_not_both() {
        let both =
            Declaration { default: Some(String::new()), required: true, ..Declaration::default() };
        for declaration in [Declaration::default(), both] {
            let declarations = BTreeMap::from([("name".to_owned(), declaration)]);
            let error = ApplicationVariables::settle(&declarations, &[], nothing).unwrap_err();
            assert_eq!(error, VariableError::NeitherDefaultNorRequired { name: "name".to_owned() });
        }
    }

    #[test]
    fn a_template_expands_every_name_and_keeps_the_rest() {
        let variables = settled(&[("token", "t")]).unwrap();
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("{{ scheme }}://*.{{ region }}.example", "https://*.cn-shanghai.example"),
            ("a } b", "a } b"),
        ];
        for (template, expected) in cases {
            assert_eq!(variables.expand(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn a_template_with_an_unknown_name_or_no_end_is_refused() {
        let variables = settled(&[("token", "t")]).unwrap();
        assert!(matches!(
            variables.expand("{{ nobody }}"),
            Err(VariableError::UnknownInTemplate { name, .. }) if name == "nobody"
        ));
        assert!(matches!(
            variables.expand("{{ region"),
            Err(VariableError::UnclosedTemplate { .. })
        ));
    }

    #[test]
    fn names_follow_spins_rule() {
        for good in ["a", "a1", "vod_region", "a_1"] {
            assert!(is_variable_name(good), "{good}");
        }
        for bad in ["", "_a", "a_", "a__b", "A", "1a", "a-b", "a b"] {
            assert!(!is_variable_name(bad), "{bad}");
        }
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let variables = settled(&[("token", "top-secret")]).unwrap();
        let component = variables
            .of_component(&BTreeMap::from([("key".to_owned(), "{{ token }}".to_owned())]))
            .unwrap();
        let shown = format!("{variables:?} {component:?}");
        assert!(shown.contains("token") && shown.contains("key"));
        assert!(!shown.contains("top-secret"), "{shown}");
    }
}
