//! Writes C bindings for a world: `c-bindings <world> <out folder> <wit file or folder>...`.
//!
//! It is `wit-bindgen c` without its command line, which takes ten times as long to compile and reads one path only.
//! The last path holds the world; the ones before it hold the packages that the world names.

use std::{env, fs, path::Path};

use anyhow::{bail, Context, Result};
use wit_bindgen_core::{wit_parser::Resolve, Files};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [world, out, paths @ ..] = arguments.as_slice() else {
        bail!("usage: c-bindings <world> <out folder> <wit file or folder>...");
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
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;

    fs::create_dir_all(out)?;
    for (name, contents) in files.iter() {
        fs::write(Path::new(out).join(name), contents)?;
    }
    Ok(())
}
