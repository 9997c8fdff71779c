//! One plugin: compiled and linked once, instantiated for every request.

use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store as Instance,
    bail,
};

use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::no_http;
use crate::store::Store;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "
            package bench:host;
            world plugin {
                import local:network-host/logging@1.0.0;
                import local:network-host/key-value-store@1.0.0;
                export local:network-host/handler@1.0.0;
            }
        ",
        world: "bench:host/plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "local:network-host/key-value-store.key-value-store": super::Bucket },
    });
}

use bindings::local::network_host::key_value_store::{self, HostKeyValueStore};
use bindings::local::network_host::logging;
use bindings::local::network_host::types::{self, RpcRequest};
use bindings::{Plugin, PluginPre};

const MEMORY_BYTES: usize = 64 << 20;
/// What stays resident of an instance's memory: the next one needs no page faults for it.
const RESIDENT_BYTES: usize = 128 << 10;

pub struct Bucket(String);

/// What one instance's imports work on.
struct State {
    table: ResourceTable,
    /// Without arguments, variables, folders or a network; made when a plugin asks for it, which few requests do.
    wasi: Option<WasiCtx>,
    store: Option<Store>,
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

pub struct Host {
    engine: Engine,
    prepared: PluginPre<State>,
    store: Option<Store>,
}

impl Host {
    pub fn load(path: &str, store: Option<Store>, instances: u32) -> Result<Self> {
        let engine = Engine::new(&configuration(instances))?;
        let component = Component::from_file(&engine, path)?;
        let mut linker = Linker::<State>::new(&engine);
        Plugin::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        no_http::add_to_linker(&mut linker, &component, &engine)?;
        let prepared = PluginPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self {
            engine,
            prepared,
            store,
        })
    }

    /// Answers one request in an instance of its own.
    pub async fn call(&self, method: &str, payload: &[u8]) -> Result<Answer> {
        let state = State {
            table: ResourceTable::new(),
            wasi: None,
            store: self.store.clone(),
        };
        let mut instance = Instance::new(&self.engine, state);
        let plugin = self.prepared.instantiate_async(&mut instance).await?;
        let request = RpcRequest {
            id: "bench".into(),
            method: method.into(),
            payload: payload.into(),
        };
        let handler = plugin.local_network_host_handler();
        match handler.call_handle_request(&mut instance, &request).await? {
            Ok(response) => Ok(Answer {
                status: response.status,
                body: response.body,
            }),
            Err(message) => bail!("the plugin returned an error: {message}"),
        }
    }
}

fn configuration(instances: u32) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances * 8)
        .total_memories(instances * 2)
        .total_tables(instances * 8)
        .total_stacks(instances)
        .max_memory_size(MEMORY_BYTES)
        .linear_memory_keep_resident(RESIDENT_BYTES);
    let mut configuration = Config::new();
    configuration.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    configuration
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: self.wasi.get_or_insert_with(|| WasiCtx::builder().build()),
            table: &mut self.table,
        }
    }
}

impl logging::Host for State {
    async fn log(&mut self, level: logging::LogLevel, message: String) -> Result<()> {
        eprintln!("{level:?}: {message}");
        Ok(())
    }
}

impl types::Host for State {}

impl key_value_store::Host for State {}

impl HostKeyValueStore for State {
    async fn new(&mut self, bucket_name: String) -> Result<Resource<Bucket>> {
        Ok(self.table.push(Bucket(bucket_name))?)
    }

    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<std::result::Result<Option<Vec<u8>>, String>> {
        let (store, key) = self.entry(&bucket, &key)?;
        Ok(store.get(&key).await.map_err(|error| error.to_string()))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<std::result::Result<(), String>> {
        let (store, key) = self.entry(&bucket, &key)?;
        Ok(store
            .set(&key, value)
            .await
            .map_err(|error| error.to_string()))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl State {
    fn entry(&self, bucket: &Resource<Bucket>, key: &str) -> Result<(&Store, String)> {
        let Bucket(name) = self.table.get(bucket)?;
        match &self.store {
            Some(store) => Ok((store, format!("{name}/{key}"))),
            None => bail!("this job has no store"),
        }
    }
}
