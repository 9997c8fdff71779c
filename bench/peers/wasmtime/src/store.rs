//! The key-value store: one document for a key, majority writes, journalled, as the other contenders have it.

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::{Error, Result};
use mongodb::options::{
    Acknowledgment, ClientOptions, CollectionOptions, ReadConcern, WriteConcern,
};
use mongodb::{Client, Collection};

const POOL_SIZE: u32 = 64;

#[derive(Clone)]
pub struct Store {
    entries: Collection<Document>,
}

impl Store {
    pub async fn open(url: &str) -> Result<Self> {
        let mut options = ClientOptions::parse(url).await?;
        options.max_pool_size = Some(POOL_SIZE);
        let database = options
            .default_database
            .clone()
            .ok_or_else(|| Error::custom("the MongoDB URL names a database"))?;
        let options_of_entries = CollectionOptions::builder()
            .read_concern(ReadConcern::majority())
            .write_concern(
                WriteConcern::builder()
                    .w(Acknowledgment::Majority)
                    .journal(true)
                    .build(),
            )
            .build();
        let client = Client::with_options(options)?;
        let entries = client
            .database(&database)
            .collection_with_options("entries", options_of_entries);
        Ok(Self { entries })
    }

    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let entry = self.entries.find_one(doc! { "_id": key }).await?;
        Ok(entry.and_then(|mut entry| match entry.remove("value") {
            Some(mongodb::bson::Bson::Binary(value)) => Some(value.bytes),
            _ => None,
        }))
    }

    pub async fn set(&self, key: &str, value: Vec<u8>) -> Result<()> {
        let value = Binary {
            subtype: BinarySubtype::Generic,
            bytes: value,
        };
        self.entries
            .update_one(doc! { "_id": key }, doc! { "$set": { "value": value } })
            .upsert(true)
            .await?;
        Ok(())
    }
}
