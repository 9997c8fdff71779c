//! Outbound HTTP, which no measured plugin calls: components that import it link, and a call traps.
//!
//! `Linker::define_unknown_imports_as_traps` does not serve: it looks for the exact version of an interface, so that it
//! would also replace the WASI that is there.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, Result, bail};

const PREFIX: &str = "wasi:http/";

struct NoHttp;

pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    engine: &Engine,
) -> Result<()> {
    let ty = component.component_type();
    // HTTP's interfaces also name resources of others, which those define.
    let mut defined: Vec<ResourceType> = Vec::new();
    for (name, import) in ty.imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        if name.starts_with(PREFIX) {
            stub(linker, name, &interface, engine, &mut defined)?;
        } else {
            defined.extend(resources(&interface, engine).map(|(_, resource)| resource));
        }
    }
    Ok(())
}

fn stub<T: 'static>(
    linker: &mut Linker<T>,
    name: &str,
    interface: &ComponentInstance,
    engine: &Engine,
    defined: &mut Vec<ResourceType>,
) -> Result<()> {
    let mut instance = linker.instance(name)?;
    for (resource, ty) in resources(interface, engine) {
        if !defined.contains(&ty) {
            instance.resource(&resource, ResourceType::host::<NoHttp>(), |_, _| Ok(()))?;
            defined.push(ty);
        }
    }
    for (function, item) in interface.exports(engine) {
        if matches!(item.ty, ComponentItem::ComponentFunc(_)) {
            instance.func_new(function, |_, _, _, _| bail!("there is no HTTP"))?;
        }
    }
    Ok(())
}

fn resources<'a>(
    interface: &'a ComponentInstance,
    engine: &'a Engine,
) -> impl Iterator<Item = (String, ResourceType)> + 'a {
    interface
        .exports(engine)
        .filter_map(|(name, item)| match item.ty {
            ComponentItem::Resource(ty) => Some((name.to_owned(), ty)),
            _ => None,
        })
}
