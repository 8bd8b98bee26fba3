//! Every item of the WIT package has a doc and a `@since`, and the package depends on no other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

use wit_bindgen_core::wit_parser::{
    Docs, Interface, Resolve, Stability, TypeDef, TypeDefKind, WorldItem,
};

#[test]
fn the_page_matches_the_wit_files() {
    let written = std::fs::read_to_string(vod_uploader_wit_docs::page_file()).unwrap();
    let page = vod_uploader_wit_docs::page().unwrap();
    assert!(written == page, "docs/wit.md is out of date: run `cargo xtask docs`");
}

#[test]
fn every_item_has_a_doc_and_a_since_if_possible() {
    let (resolve, package) = vod_uploader_wit_docs::package().unwrap();
    let mut items = 0;
    let mut check = |name: String, docs: &Docs, stability: Option<&Stability>| {
        items += 1;
        let text = docs.contents.as_deref().unwrap_or_default().trim();
        assert!(text.len() > 5 && text.ends_with(['.', ')']), "{name}: {text:?}");
        if let Some(stability) = stability {
            assert!(matches!(stability, Stability::Stable { .. }), "{name} has no @since");
        }
    };
    let package = &resolve.packages[package];
    for (name, world) in &package.worlds {
        let world = &resolve.worlds[*world];
        check(name.clone(), &world.docs, Some(&world.stability));
    }
    for (name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        check(name.clone(), &interface.docs, Some(&interface.stability));
        for (function, of) in &interface.functions {
            check(format!("{name}.{function}"), &of.docs, Some(&of.stability));
        }
        for (name, ty) in own_types(&resolve, interface) {
            check(name.clone(), &ty.docs, Some(&ty.stability));
            for (member, docs) in members(ty) {
                check(format!("{name}.{member}"), docs, None);
            }
        }
    }
    assert!(items > 200, "{items}");
}

#[test]
fn the_package_depends_on_no_other_package() {
    let (resolve, package) = vod_uploader_wit_docs::package().unwrap();
    assert_eq!(resolve.packages.len(), 1);
    for (name, world) in &resolve.packages[package].worlds {
        let world = &resolve.worlds[*world];
        let items = world.imports.values().chain(world.exports.values());
        let only_interfaces =
            items.into_iter().all(|item| matches!(item, WorldItem::Interface { .. }));
        assert!(only_interfaces, "{name}");
    }
}

/// The types that an interface defines itself.
fn own_types<'a>(
    resolve: &'a Resolve,
    interface: &'a Interface,
) -> impl Iterator<Item = (&'a String, &'a TypeDef)> {
    let types = interface.types.iter().map(|(name, id)| (name, &resolve.types[*id]));
    types.filter(|(_, ty)| {
        let alias_of_named = |id| resolve.types[id].name.is_some();
        use wit_bindgen_core::wit_parser::Type;
        !matches!(ty.kind, TypeDefKind::Type(Type::Id(id)) if alias_of_named(id))
    })
}

fn members(ty: &TypeDef) -> Vec<(&str, &Docs)> {
    match &ty.kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|field| (field.name.as_str(), &field.docs)).collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
        }
        TypeDefKind::Enum(cases) => {
            cases.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
        }
        _ => Vec::new(),
    }
}
