//! The account that the worker acts as.

use attribution_proof::AccountId;
use sp_runtime::MultiSignature;
use std::{path::Path, str::FromStr};
use subxt_signer::{sr25519::Keypair, SecretUri};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}: {source}; name a text file with a secret phrase")]
    File {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("the key file {path} can be read by other users; run: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: String,
    },
    /// There is no secret.
    #[error("the secret is empty; write a phrase of twelve words or a 0x-seed into the key file, or on a development chain use --key //Alice")]
    Empty,
    /// The secret is neither a phrase, a seed nor a derivation.
    #[error("the secret is no valid mnemonic, 0x-seed or //derivation: {0}; compare it with your backup")]
    Secret(String),
}

/// An sr25519 key pair with the few things the worker does with it.
#[derive(Clone)]
pub struct Key {
    pair: Keypair,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Key").field(&self.account()).finish()
    }
}

impl Key {
    /// From a secret URI: a mnemonic, a `0x` seed or a development derivation such as `//Alice`.
    pub fn from_secret(secret: &str) -> Result<Self, KeyError> {
        let failed = |error: &dyn std::fmt::Display| KeyError::Secret(error.to_string());
        // Editors put a byte order mark before a text.
        let secret = secret.trim_start_matches('\u{feff}').trim();
        if secret.is_empty() {
            // It would stand for a development account, whose secret everybody knows.
            return Err(KeyError::Empty);
        }
        let uri = SecretUri::from_str(secret).map_err(|error| failed(&error))?;
        let pair = Keypair::from_uri(&uri).map_err(|error| failed(&error))?;
        Ok(Self { pair })
    }

    /// From a file that holds a secret URI and that only its owner may read.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let name = path.display().to_string();
        let failed = |source| KeyError::File {
            path: name.clone(),
            source,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path)
                .map_err(failed)?
                .permissions()
                .mode();
            if mode & 0o077 != 0 {
                return Err(KeyError::Exposed { path: name });
            }
        }
        Self::from_secret(&std::fs::read_to_string(path).map_err(failed)?)
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        AccountId::new(self.pair.public_key().0)
    }

    /// Signs bytes as they are.
    pub fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(self.pair.sign(payload).0.into())
    }

    /// For signing extrinsics.
    pub fn pair(&self) -> &Keypair {
        &self.pair
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::traits::Verify;

    #[test]
    fn success_a_file_gives_the_same_key_and_signatures_verify() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "\u{feff}//Alice\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let open = Key::from_file(&path);
            assert!(matches!(open, Err(KeyError::Exposed { .. })));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let key = Key::from_file(&path).unwrap();
        assert_eq!(
            key.account(),
            Key::from_secret("//Alice").unwrap().account()
        );
        assert!(key
            .sign(b"payload")
            .verify(b"payload".as_slice(), &key.account()));
        assert!(!format!("{key:?}").contains("pair"));
    }

    #[test]
    fn fails_when_the_secret_is_nonsense() {
        for empty in ["", " \n", "\u{feff}\n"] {
            assert!(matches!(Key::from_secret(empty), Err(KeyError::Empty)));
        }
        assert!(matches!(
            Key::from_secret("not a phrase"),
            Err(KeyError::Secret(_))
        ));
        assert!(matches!(
            Key::from_file(Path::new("/nowhere")),
            Err(KeyError::File { .. })
        ));
    }
}
