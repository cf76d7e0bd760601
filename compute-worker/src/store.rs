//! The content store: blobs named by the BLAKE3 hash of their bytes.
//!
//! A local folder by default, any S3-compatible bucket by URL. Every blob is verified against its id
//! when it is read, so nobody has to trust the store, and writing twice is harmless.

use attribution_proof::ContentId;
use bytes::Bytes;
use object_store::{
    path::Path, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use std::{path::Path as FilePath, sync::Arc};

/// Why a blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The location is neither a folder nor a URL that the store understands.
    #[error(
        "cannot open the content store at {location:?}: {reason}; give a folder or an s3:// URL"
    )]
    Location {
        /// As given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such blob.
    #[error("blob {id} is not in the content store; ask whoever registered it to publish it")]
    Missing {
        /// Its id in hexadecimal.
        id: String,
    },
    /// The blob's bytes are not the ones that its id names.
    #[error("blob {id} is damaged: its bytes hash to {actual}; delete it and fetch it again")]
    Damaged {
        /// Its id in hexadecimal.
        id: String,
        /// What its bytes hash to.
        actual: String,
    },
    /// The blob is larger than what it is said to be can be.
    #[error("blob {id} has {bytes} bytes, the most is {most}; it was not read")]
    TooLarge {
        /// Its id in hexadecimal.
        id: String,
        /// Its size.
        bytes: u64,
        /// Most bytes that the reader takes.
        most: u64,
    },
    /// The storage failed: no space, no permission, no network.
    #[error("the content store failed while {action}: {source}; free space, or check permissions and network, then try again")]
    Backend {
        /// What was being done.
        action: &'static str,
        /// The cause.
        source: object_store::Error,
    },
}

/// A handle on the content store; clones share it.
#[derive(Clone, Debug)]
pub struct ContentStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// Id of `bytes`.
pub fn content_id(bytes: &[u8]) -> ContentId {
    blake3::hash(bytes).into()
}

impl ContentStore {
    /// Opens a folder, which is made if need be, or a URL such as `s3://bucket/prefix`. Credentials
    /// and endpoint of S3-compatible stores come from the `AWS_*` environment variables.
    pub fn open(location: &str) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Location {
            location: location.into(),
            reason,
        };
        if location.contains("://") {
            let url = reqwest::Url::parse(location).map_err(|error| failed(error.to_string()))?;
            let options = std::env::vars().filter_map(|(name, value)| {
                name.starts_with("AWS_")
                    .then(|| (name.to_ascii_lowercase(), value))
            });
            let (store, prefix) = object_store::parse_url_opts(&url, options)
                .map_err(|error| failed(error.to_string()))?;
            return Ok(Self {
                store: store.into(),
                prefix,
            });
        }
        let folder = FilePath::new(location);
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let store = object_store::local::LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Path::default(),
        })
    }

    /// Two levels keep folders small.
    fn path(&self, id: &ContentId) -> Path {
        let name = hex::encode(id);
        let (folder, _) = name.split_at(2);
        self.prefix.clone().join(folder).join(name.as_str())
    }

    /// Stores `bytes` and returns their id. Known bytes are not written again.
    pub async fn put(&self, bytes: impl Into<Bytes>) -> Result<ContentId, StoreError> {
        let bytes = bytes.into();
        let id = content_id(&bytes);
        let options = PutOptions {
            mode: PutMode::Create,
            attributes: Attributes::default(),
            ..PutOptions::default()
        };
        match self
            .store
            .put_opts(&self.path(&id), PutPayload::from_bytes(bytes), options)
            .await
        {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(id),
            Err(source) => Err(StoreError::Backend {
                action: "writing a blob",
                source,
            }),
        }
    }

    /// Reads the blob `id` and verifies it.
    pub async fn get(&self, id: &ContentId) -> Result<Bytes, StoreError> {
        self.get_at_most(id, u64::MAX).await
    }

    /// The same, but refuses a blob of more than `most` bytes before it fills the memory: anybody may
    /// have published it.
    pub async fn get_at_most(&self, id: &ContentId, most: u64) -> Result<Bytes, StoreError> {
        let name = || hex::encode(id);
        let failed = |source| match source {
            object_store::Error::NotFound { .. } => StoreError::Missing { id: name() },
            source => StoreError::Backend {
                action: "reading a blob",
                source,
            },
        };
        let found = self.store.get(&self.path(id)).await.map_err(failed)?;
        if found.meta.size > most {
            return Err(StoreError::TooLarge {
                id: name(),
                bytes: found.meta.size,
                most,
            });
        }
        let bytes = found.bytes().await.map_err(failed)?;
        let actual = content_id(&bytes);
        if actual == *id {
            Ok(bytes)
        } else {
            Err(StoreError::Damaged {
                id: name(),
                actual: hex::encode(actual),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, ContentStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ContentStore::open(folder.path().to_str().unwrap()).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn success_what_was_put_is_got_and_twice_is_once() {
        let (_folder, store) = open();
        let id = store.put(b"blob".as_slice()).await.unwrap();
        assert_eq!(id, store.put(b"blob".as_slice()).await.unwrap());
        assert_eq!(store.get(&id).await.unwrap(), b"blob".as_slice());
    }

    #[tokio::test]
    async fn fails_when_a_blob_is_missing_too_large_or_damaged() {
        let (folder, store) = open();
        assert!(matches!(
            store.get(&[0; 32]).await,
            Err(StoreError::Missing { .. })
        ));
        let id = store.put(b"blob".as_slice()).await.unwrap();
        assert!(matches!(
            store.get_at_most(&id, 3).await,
            Err(StoreError::TooLarge { bytes: 4, .. })
        ));
        assert!(store.get_at_most(&id, 4).await.is_ok());
        let name = hex::encode(id);
        std::fs::write(folder.path().join(&name[..2]).join(&name), b"blot").unwrap();
        assert!(matches!(
            store.get(&id).await,
            Err(StoreError::Damaged { .. })
        ));
    }

    #[test]
    fn fails_when_the_location_makes_no_sense() {
        for location in ["gopher://somewhere", "s3://", "/dev/null/folder"] {
            assert!(
                matches!(
                    ContentStore::open(location),
                    Err(StoreError::Location { .. })
                ),
                "{location}"
            );
        }
    }
}
