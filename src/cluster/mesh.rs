//! All processes of a generation, as each is connected to the others.
//!
//! Idea: what `form` has made, handed to the engine. Before the engine uses the connections, process 0 can tell all others
//! what it alone has found out.
//! Invariant: all processes of a mesh have the same number, seed and word of process 0 ([`Mesh::share`]); every socket in it
//! has been proved to lead to the process in whose place it stands.
//! Cost: a mesh is some sockets; sharing costs a message to each process.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ClusterError;
use super::door::Door;

/// Bytes that process 0 shares, at most: a list of partitions.
const MOST_SHARED: u64 = 256 << 20;

/// All processes of a generation, as this one is connected to them.
#[derive(Debug)]
pub struct Mesh {
    /// The index of this process.
    pub process: usize,
    /// How many there are.
    pub processes: usize,
    /// The generation's number, larger than that of any before.
    pub generation: u64,
    /// Random, for the keys of the run's hash: the same in all processes.
    pub seed: u128,
    /// For the dataflow: a connection to each process, by index; none to oneself.
    pub data: Vec<Option<TcpStream>>,
    /// For reads and signs of life: the same.
    pub reads: Vec<Option<TcpStream>>,
    /// The address of each process.
    pub hosts: Vec<String>,
    /// Kept open, so that whoever comes late is told so.
    pub(super) _door: Arc<Door>,
}

impl Mesh {
    /// Gives all processes what process 0 has found out, before anything else uses the connections for reads. Only process 0
    /// calls `find`; where that fails, all fail, the others with [`ClusterError::Told`] and the exit code `code` of it.
    ///
    /// # Errors
    /// As said, and where a process is lost.
    pub fn share<T, E>(
        &mut self,
        find: impl FnOnce() -> Result<T, E>,
        code: impl FnOnce(&E) -> u8,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: std::fmt::Display + From<ClusterError>,
    {
        if self.process > 0 {
            return Ok(self.hear()?);
        }
        let found = find();
        let said: Result<&T, (u8, String)> = match &found {
            Ok(found) => Ok(found),
            Err(error) => Err((code(error), error.to_string())),
        };
        let said = serde_json::to_vec(&said).expect("what is shared can be written");
        let length = (said.len() as u64).to_be_bytes();
        for (process, stream) in self.reads.iter_mut().enumerate() {
            let Some(stream) = stream else { continue };
            let sent = stream.write_all(&length).and_then(|()| stream.write_all(&said));
            if let Err(error) = sent
                && found.is_ok()
            {
                return Err(lost(&self.hosts, process, &error).into());
            }
        }
        found
    }

    fn hear<T: DeserializeOwned>(&mut self) -> Result<T, ClusterError> {
        let gone = |error: std::io::Error| lost(&self.hosts, 0, &error);
        let stream = self.reads[0].as_mut().expect("only process 0 is not connected to process 0");
        let mut length = [0; 8];
        stream.read_exact(&mut length).map_err(gone)?;
        let length = u64::from_be_bytes(length);
        let mut said = Vec::new();
        stream.take(length.min(MOST_SHARED)).read_to_end(&mut said).map_err(gone)?;
        let heard = serde_json::from_slice::<Result<T, (u8, String)>>(&said).map_err(|error| {
            lost(&self.hosts, 0, &std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))
        })?;
        heard.map_err(|(code, message)| ClusterError::Told { process: 0, code, message })
    }
}

fn lost(hosts: &[String], process: usize, error: &std::io::Error) -> ClusterError {
    ClusterError::Lost { process, host: hosts[process].clone(), why: error.to_string() }
}
