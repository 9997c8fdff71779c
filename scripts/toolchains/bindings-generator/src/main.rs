//! Writes bindings for a world: `bindings-generator <c or go> <world> <out folder> <wit file or folder>...`.
//!
//! `go=<import path>` writes packages of a library, below that path, in place of a program.
//!
//! It is `wit-bindgen c` and `wit-bindgen go` without their command line, which takes ten times as long to compile and
//! reads one path only. The last path holds the world; the ones before it hold the packages that the world names.

use std::{env, fs, path::Path};

use anyhow::{bail, Context, Result};
use wit_bindgen_core::{wit_parser::Resolve, Files, WorldGenerator};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [language, world, out, paths @ ..] = arguments.as_slice() else {
        bail!("usage: bindings-generator <c or go> <world> <out folder> <wit file or folder>...");
    };

    let mut resolve = Resolve::default();
    let mut package = None;
    for path in paths {
        let (id, _) = resolve.push_path(path).with_context(|| format!("cannot read {path}"))?;
        package = Some(id);
    }
    let package = package.context("name at least one wit file or folder")?;
    let world = resolve.select_world(&[package], Some(world))?;

    let mut files = Files::default();
    generator(language)?.generate(&mut resolve, world, &mut files)?;

    for (name, contents) in files.iter() {
        let path = Path::new(out).join(name);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, contents)?;
    }
    Ok(())
}

fn generator(language: &str) -> Result<Box<dyn WorldGenerator>> {
    match language.split_once('=').unwrap_or((language, "")) {
        ("c", "") => Ok(wit_bindgen_c::Opts::default().build()),
        ("go", path) => {
            let mut options = wit_bindgen_go::Opts::default();
            options.pkg_name = (!path.is_empty()).then(|| path.to_owned());
            Ok(options.build())
        }
        _ => bail!("there are no bindings for {language}"),
    }
}
