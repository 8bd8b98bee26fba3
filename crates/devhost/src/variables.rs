//! Application variables: declared in the manifest, set on the command line or in the environment.
//! A component reads only the variables that its section defines by templates.
//!
//! The rules are Spin's: <https://spinframework.dev/v3/variables>.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// One entry of the manifest's `[variables]` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declaration {
    /// The value if no other is set.
    pub(crate) default: Option<String>,
    /// Whether a missing value is an error.
    #[serde(default)]
    pub(crate) required: bool,
    /// Whether the value is a secret. No value is ever logged.
    #[serde(default, rename = "secret")]
    pub(crate) _secret: bool,
    /// Documentation in the manifest.
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
}

/// An error of resolving the variables of an application.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum VariableError {
    #[error(
        "the required variable `{name}` is not set; pass --variable {name}=VALUE \
         or set {environment_name} in the environment"
    )]
    Unset { name: String, environment_name: String },
    #[error("--variable {name}: expected a variable of the manifest: {declared}")]
    Undeclared { name: String, declared: String },
    #[error("[variables] {name}: expected either `default` or `required = true`")]
    NeitherDefaultNorRequired { name: String },
    #[error(
        "[variables] {name}: names are lower-case letters, digits and single underscores, \
         starting with a letter"
    )]
    BadName { name: String },
    #[error("the template {template:?} has an opening `{{{{` without its `}}}}`")]
    UnclosedTemplate { template: String },
    #[error("the template {template:?} contains the undeclared variable `{name}`")]
    UnknownInTemplate { template: String, name: String },
}

/// The values of all application variables. `Debug` does not show them.
#[derive(Default)]
pub(crate) struct ApplicationVariables(BTreeMap<String, String>);

impl ApplicationVariables {
    /// Resolves every declared variable: `overrides` first, then `SPIN_VARIABLE_<NAME>` from
    /// `environment`, then the declared default.
    ///
    /// # Errors
    /// Returns an error if a required variable has no value, an override has an undeclared name, or
    /// a declaration is invalid.
    pub(crate) fn resolve(
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
    /// Returns an error for an unclosed `{{` or an undeclared name.
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
    /// Returns the errors of [`ApplicationVariables::expand`].
    pub(crate) fn for_component(
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

/// The variables of one component. `Debug` does not show their values.
#[derive(Default)]
pub(crate) struct ComponentVariables(BTreeMap<String, String>);

impl ComponentVariables {
    /// The value of a variable; `None` if the section of the component does not define it.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for ComponentVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Returns true if Spin accepts `name`: `[a-z][a-z0-9]*` words joined by single underscores.
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

    fn resolved(overrides: &[(&str, &str)]) -> Result<ApplicationVariables, VariableError> {
        let overrides: Vec<_> =
            overrides.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        ApplicationVariables::resolve(&declarations(), &overrides, nothing)
    }

    #[test]
    fn the_error_names_a_required_variable_without_a_value() {
        let error = resolved(&[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the required variable `token` is not set; pass --variable token=VALUE \
             or set SPIN_VARIABLE_TOKEN in the environment"
        );
    }

    #[test]
    fn an_override_precedes_the_environment_and_the_environment_the_default() {
        let environment = |name: &str| match name {
            "SPIN_VARIABLE_REGION" => Some("from-environment".to_owned()),
            "SPIN_VARIABLE_TOKEN" => Some("from-environment".to_owned()),
            _ => None,
        };
        let overrides = [("token".to_owned(), "from-override".to_owned())];
        let variables =
            ApplicationVariables::resolve(&declarations(), &overrides, environment).unwrap();
        let expanded = variables.expand("{{ scheme }} {{region}} {{ token}}").unwrap();
        assert_eq!(expanded, "https from-environment from-override");
    }

    #[test]
    fn an_override_of_an_undeclared_name_is_rejected() {
        let error = resolved(&[("token", "t"), ("regoin", "x")]).unwrap_err();
        assert!(matches!(error, VariableError::Undeclared { name, .. } if name == "regoin"));
    }

    #[test]
    fn a_declaration_has_either_a_default_or_required() {
        let both =
            Declaration { default: Some(String::new()), required: true, ..Declaration::default() };
        for declaration in [Declaration::default(), both] {
            let declarations = BTreeMap::from([("name".to_owned(), declaration)]);
            let error = ApplicationVariables::resolve(&declarations, &[], nothing).unwrap_err();
            assert_eq!(error, VariableError::NeitherDefaultNorRequired { name: "name".to_owned() });
        }
    }

    #[test]
    fn a_template_expands_every_name_and_keeps_other_text() {
        let variables = resolved(&[("token", "t")]).unwrap();
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
    fn a_template_with_an_unknown_name_or_no_end_is_rejected() {
        let variables = resolved(&[("token", "t")]).unwrap();
        assert!(matches!(
            variables.expand("{{ unknown }}"),
            Err(VariableError::UnknownInTemplate { name, .. }) if name == "unknown"
        ));
        assert!(matches!(
            variables.expand("{{ region"),
            Err(VariableError::UnclosedTemplate { .. })
        ));
    }

    #[test]
    fn variable_names_follow_the_rules_of_spin() {
        for good in ["a", "a1", "vod_region", "a_1"] {
            assert!(is_variable_name(good), "{good}");
        }
        for bad in ["", "_a", "a_", "a__b", "A", "1a", "a-b", "a b"] {
            assert!(!is_variable_name(bad), "{bad}");
        }
    }

    #[test]
    fn debug_shows_names_but_no_values() {
        let variables = resolved(&[("token", "top-secret")]).unwrap();
        let component = variables
            .for_component(&BTreeMap::from([("key".to_owned(), "{{ token }}".to_owned())]))
            .unwrap();
        let shown = format!("{variables:?} {component:?}");
        assert!(shown.contains("token") && shown.contains("key"));
        assert!(!shown.contains("top-secret"), "{shown}");
    }
}
