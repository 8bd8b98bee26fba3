//! `spin:variables@3.0.0`: read access to a component's variables.

use std::sync::Arc;

use wasmtime::component::{Accessor, HasData, Linker};

use crate::bindings::spin::variables::variables::{self, Error, Host, HostWithStore};
use crate::variables::{ComponentVariables, is_variable_name};

/// The instance state that the interface uses.
pub(crate) struct VariablesView<'a>(pub(crate) &'a Arc<ComponentVariables>);

/// Declares the interface's state to the linker.
pub(crate) struct Variables;

impl HasData for Variables {
    type Data<'a> = VariablesView<'a>;
}

/// Adds the interface to a linker.
///
/// # Errors
/// Returns an error if the linker already has it.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> VariablesView<'_>,
) -> wasmtime::Result<()> {
    variables::add_to_linker::<T, Variables>(linker, view)
}

impl Host for VariablesView<'_> {}

impl<T: Send + 'static> HostWithStore<T> for Variables {
    async fn get(
        host: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        if !is_variable_name(&name) {
            return Ok(Err(Error::InvalidName(format!(
                "{name:?}: names are lower-case letters, digits and single underscores"
            ))));
        }
        let variables = host.with(|mut host| host.get().0.clone());
        Ok(variables.value(&name).map(str::to_owned).ok_or_else(|| {
            Error::Undefined(format!("{name}: not in the component's variables section"))
        }))
    }
}
