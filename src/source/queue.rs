//! Queues inside librdkafka: that of one partition, read in batches, and that of a client as a whole.
//!
//! Idea: `rdkafka` has safe queues but hands out one message a call, and hides the offset of an end-of-partition event,
//! which is the only way to learn that transaction markers, not records, stand between the last record and the end.
//! Some lines of its C interface give both; and two things of a client's own queue that it does not have either.
//! Invariant: a message is destroyed after it was seen and never escapes; the queue and its callback live no longer than
//! the consumer that they belong to.
//! Cost: one call into librdkafka per batch; no allocation and no reference count per message.

#![expect(unsafe_code, reason = "batches and end offsets exist in librdkafka's C interface only")]

use std::ffi::{CString, c_void};
use std::sync::Arc;

use rdkafka::TopicPartitionList;
use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafka;

use super::partitions::Client;

/// What stands in a queue.
pub enum Event<'a> {
    /// A record.
    Record {
        /// Its offset.
        offset: i64,
        /// The epoch of the leader that wrote it; -1 where brokers do not note it.
        leader_epoch: i32,
        /// Its timestamp in Unix milliseconds.
        time: i64,
        /// Its bytes; `None`: a tombstone.
        value: Option<&'a [u8]>,
    },
    /// The partition ends, for now, before this offset.
    End(i64),
    /// Fetching failed.
    Failed(RDKafkaErrorCode),
}

type Wake = Box<dyn Fn() + Send + Sync>;

/// The queue of a partition.
pub struct PartitionQueue {
    queue: *mut rd::rd_kafka_queue_t,
    batch: Vec<*mut rd::rd_kafka_message_t>,
    /// Boxed twice, since librdkafka keeps a thin pointer to it.
    _wake: Box<Wake>,
    /// Keeps the consumer alive for as long as the queue is.
    _consumer: Arc<Client>,
}

/// Events of a client as a whole that wait to be served.
pub fn waiting<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> usize {
    // SAFETY: the client lives, and a queue that was handed out is ours to destroy.
    unsafe {
        let queue = rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr());
        if queue.is_null() {
            return 0;
        }
        let length = rd::rd_kafka_queue_length(queue);
        rd::rd_kafka_queue_destroy(queue);
        length
    }
}

/// Commits offsets, and waits for nothing. What became of it is an event of the client, which its context hears of: the call that
/// `rdkafka` has asks for none.
pub fn commit<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    offsets: &TopicPartitionList,
) -> Result<(), RDKafkaErrorCode> {
    // SAFETY: the client lives, the offsets are copied, and a queue that was handed out is ours to destroy.
    let code = unsafe {
        let client = consumer.client().native_ptr();
        let queue = rd::rd_kafka_queue_get_consumer(client);
        if queue.is_null() {
            return Err(RDKafkaErrorCode::UnknownGroup);
        }
        let code = rd::rd_kafka_commit_queue(client, offsets.ptr(), queue, None, std::ptr::null_mut());
        rd::rd_kafka_queue_destroy(queue);
        RDKafkaErrorCode::from(code)
    };
    if code == RDKafkaErrorCode::NoError { Ok(()) } else { Err(code) }
}

/// Messages asked for at a time.
const BATCH: usize = 512;

impl PartitionQueue {
    /// Takes a partition's messages out of the consumer's common queue. To be called before the partition is assigned, so
    /// that not one message goes there. `wake` is called, on a thread of librdkafka, when the queue ceases to be empty.
    pub fn split(consumer: &Arc<Client>, topic: &str, partition: i32, wake: Wake) -> Option<PartitionQueue> {
        unsafe extern "C" fn call_wake(_client: *mut RDKafka, wake: *mut c_void) {
            // SAFETY: it is the pointer registered below, which lives until the callback has been removed.
            let wake = unsafe { &*(wake as *const Wake) };
            wake();
        }
        let topic = CString::new(topic).ok()?;
        let wake = Box::new(wake);
        // SAFETY: the client lives, the topic is a C string, and a queue that was handed out is ours to destroy.
        let queue = unsafe {
            let queue =
                rd::rd_kafka_queue_get_partition(consumer.client().native_ptr(), topic.as_ptr(), partition);
            if queue.is_null() {
                return None;
            }
            rd::rd_kafka_queue_forward(queue, std::ptr::null_mut());
            let opaque = std::ptr::from_ref::<Wake>(&wake) as *mut c_void;
            rd::rd_kafka_queue_cb_event_enable(queue, Some(call_wake), opaque);
            queue
        };
        let batch = vec![std::ptr::null_mut(); BATCH];
        Some(PartitionQueue { queue, batch, _wake: wake, _consumer: Arc::clone(consumer) })
    }

    /// Shows what is in the queue, at most so much or one batch of it, without waiting. Returns the number of events.
    pub fn drain(&mut self, most: usize, mut see: impl FnMut(Event<'_>)) -> usize {
        // SAFETY: `batch` has room for as many messages as are asked for; each that is filled in is read while it is
        // alive and destroyed once. A payload of length 0 may have any pointer, so it is not looked at.
        unsafe {
            let most = most.min(self.batch.len());
            let n = rd::rd_kafka_consume_batch_queue(self.queue, 0, self.batch.as_mut_ptr(), most);
            let n = usize::try_from(n).unwrap_or(0);
            for message in &self.batch[..n] {
                let m = &**message;
                match RDKafkaErrorCode::from(m.err) {
                    RDKafkaErrorCode::NoError => {
                        let value = if m.payload.is_null() {
                            None
                        } else if m.len == 0 {
                            Some(&[][..])
                        } else {
                            Some(std::slice::from_raw_parts(m.payload as *const u8, m.len))
                        };
                        let time = rd::rd_kafka_message_timestamp(*message, std::ptr::null_mut());
                        let leader_epoch = rd::rd_kafka_message_leader_epoch(*message);
                        see(Event::Record { offset: m.offset, leader_epoch, time, value });
                    }
                    RDKafkaErrorCode::PartitionEOF => see(Event::End(m.offset)),
                    error => see(Event::Failed(error)),
                }
                rd::rd_kafka_message_destroy(*message);
            }
            n
        }
    }
}

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        // SAFETY: the queue is ours; the callback is removed before what it points to is dropped.
        unsafe {
            rd::rd_kafka_queue_cb_event_enable(self.queue, None, std::ptr::null_mut());
            rd::rd_kafka_queue_destroy(self.queue);
        }
    }
}
