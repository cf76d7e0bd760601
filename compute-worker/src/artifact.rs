//! Artifacts: folders of files in the content store, named by one id.
//!
//! An artifact is a JSON document `{"files": {"name": {"blake3": "hex", "bytes": n}, …}}` with names in
//! ascending order; its own BLAKE3 hash is the artifact id that manifests carry. Files that two
//! artifacts share, such as a tokenizer, are stored once.

use crate::store::{ContentStore, StoreError};
use attribution_proof::ContentId;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most bytes of the document that names an artifact's files.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// Why an artifact cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob is no artifact document.
    #[error("blob {id} is no artifact: {reason}")]
    Format {
        /// Its id in hexadecimal.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not part of it.
    #[error("artifact {id} has no file {name:?}; it has {present:?}")]
    NoFile {
        /// Its id in hexadecimal.
        id: String,
        /// The file asked for.
        name: String,
        /// The files there are.
        present: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileEntry {
    blake3: String,
    bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    files: BTreeMap<String, FileEntry>,
}

/// The files of an artifact, in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    files: BTreeMap<String, Bytes>,
}

impl Artifact {
    /// An artifact of these files.
    pub fn new<N: Into<String>, B: Into<Bytes>>(files: impl IntoIterator<Item = (N, B)>) -> Self {
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name.into(), bytes.into()))
            .collect();
        Self { files }
    }

    fn document(&self) -> Vec<u8> {
        let entry = |bytes: &Bytes| FileEntry {
            blake3: blake3::hash(bytes).to_hex().to_string(),
            bytes: bytes.len() as u64,
        };
        let files = self
            .files
            .iter()
            .map(|(name, bytes)| (name.clone(), entry(bytes)))
            .collect();
        // A map of strings and numbers always has a JSON form.
        serde_json::to_vec(&Document { files }).unwrap_or_default()
    }

    /// The artifact's id.
    pub fn id(&self) -> ContentId {
        crate::store::content_id(&self.document())
    }

    /// Stores all files, then the document that names them.
    pub async fn store(&self, store: &ContentStore) -> Result<ContentId, ArtifactError> {
        for bytes in self.files.values() {
            store.put(bytes.clone()).await?;
        }
        Ok(store.put(self.document()).await?)
    }

    /// Reads an artifact; every file is verified.
    pub async fn load(store: &ContentStore, id: &ContentId) -> Result<Self, ArtifactError> {
        let failed = |reason: String| ArtifactError::Format {
            id: hex::encode(id),
            reason,
        };
        let document = store.get_at_most(id, MAX_DOCUMENT_BYTES).await?;
        let document: Document =
            serde_json::from_slice(&document).map_err(|error| failed(error.to_string()))?;
        let mut files = BTreeMap::new();
        for (name, entry) in document.files {
            let mut file = ContentId::default();
            hex::decode_to_slice(&entry.blake3, &mut file)
                .map_err(|error| failed(format!("file {name:?}: {error}")))?;
            files.insert(name, store.get_at_most(&file, entry.bytes).await?);
        }
        Ok(Self { files })
    }

    /// One file.
    pub fn file(&self, name: &str) -> Result<&Bytes, ArtifactError> {
        self.files.get(name).ok_or_else(|| ArtifactError::NoFile {
            id: hex::encode(self.id()),
            name: name.into(),
            present: self.files.keys().cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn success_an_artifact_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = ContentStore::open(folder.path().to_str().unwrap()).unwrap();
        let artifact = Artifact::new([("b.txt", "two"), ("a.txt", "one")]);
        let id = artifact.store(&store).await.unwrap();
        assert_eq!(id, artifact.id());
        let again = Artifact::load(&store, &id).await.unwrap();
        assert_eq!(again, artifact);
        assert_eq!(again.file("a.txt").unwrap().as_ref(), b"one");
        let error = again.file("c.txt").unwrap_err().to_string();
        assert!(
            error.contains("a.txt") && error.contains("c.txt"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn fails_when_the_blob_is_no_artifact_or_a_file_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let store = ContentStore::open(folder.path().to_str().unwrap()).unwrap();
        let id = store.put("no document").await.unwrap();
        let error = Artifact::load(&store, &id).await.unwrap_err();
        assert!(matches!(error, ArtifactError::Format { .. }));
        let artifact = Artifact::new([("a.txt", "one")]);
        let id = store.put(artifact.document()).await.unwrap();
        let error = Artifact::load(&store, &id).await.unwrap_err();
        assert!(matches!(
            error,
            ArtifactError::Store(StoreError::Missing { .. })
        ));
    }
}
