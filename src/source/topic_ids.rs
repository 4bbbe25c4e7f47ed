//! The ids of topics, by which one made again under an old name is told from the old one.
//!
//! Idea: Kafka gives each topic a random id for life (KIP-516). librdkafka asks for it in its C interface only, so this is
//! one call of that: describe some topics, wait for the answer, take the ids out.
//! Invariant: every object that librdkafka hands out here is given back to it once, whatever happens between.
//! Cost: one request, to be made off the workers' threads.

#![expect(unsafe_code, reason = "topic ids exist in librdkafka's C interface only")]

use std::ffi::{CStr, CString};
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer;

use super::partitions::Client;

/// Why nothing is known of what topics are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// There was no answer in time, or none that says anything: test clusters have none.
    Unanswered,
    /// Not for all topics: a broker may not know of one yet that has just been made.
    NotForAll,
}

/// The id of each topic, in order; an id is `None` where the broker gives none, as before Kafka 2.8.
///
/// # Errors
/// Why they are not known.
pub fn topic_ids(
    client: &Client,
    topics: &[String],
    patience: Duration,
) -> Result<Vec<Option<u128>>, Unsaid> {
    let names: Vec<CString> = topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
    if names.len() != topics.len() || names.is_empty() {
        return Err(Unsaid::Unanswered);
    }
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let native = client.client().native_ptr();
    let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client lives throughout; names are C strings that outlive the call, which copies them; the event, and
    // the descriptions within it, are looked at before the event is destroyed, and each object is destroyed once.
    unsafe {
        let collection = rd::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let options =
            rd::rd_kafka_AdminOptions_new(native, rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        rd::rd_kafka_AdminOptions_set_request_timeout(options, millis, std::ptr::null_mut(), 0);
        let queue = rd::rd_kafka_queue_new(native);
        rd::rd_kafka_DescribeTopics(native, collection, options, queue);
        let event = rd::rd_kafka_queue_poll(queue, millis);
        let ids = if event.is_null() { Err(Unsaid::Unanswered) } else { ids_in(event, &names) };
        if !event.is_null() {
            rd::rd_kafka_event_destroy(event);
        }
        rd::rd_kafka_queue_destroy(queue);
        rd::rd_kafka_AdminOptions_destroy(options);
        rd::rd_kafka_TopicCollection_destroy(collection);
        ids
    }
}

/// # Safety
/// The event must be one of librdkafka's, and alive.
unsafe fn ids_in(event: *mut rd::rd_kafka_event_t, names: &[CString]) -> Result<Vec<Option<u128>>, Unsaid> {
    let mut ids = vec![None; names.len()];
    // SAFETY: as the caller promises; what the event holds lives as long as it does.
    unsafe {
        let result = rd::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() || !is_none(rd::rd_kafka_event_error(event)) {
            return Err(Unsaid::Unanswered);
        }
        let mut count = 0;
        let descriptions = rd::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        for index in 0..count {
            let description = *descriptions.add(index);
            let error = rd::rd_kafka_TopicDescription_error(description);
            if !error.is_null() && !is_none(rd::rd_kafka_error_code(error)) {
                return Err(Unsaid::NotForAll);
            }
            let id = rd::rd_kafka_TopicDescription_topic_id(description);
            let name = CStr::from_ptr(rd::rd_kafka_TopicDescription_name(description));
            if id.is_null() {
                continue;
            }
            let high = rd::rd_kafka_Uuid_most_significant_bits(id) as u64;
            let low = rd::rd_kafka_Uuid_least_significant_bits(id) as u64;
            let id = u128::from(high) << 64 | u128::from(low);
            if let Some(at) = names.iter().position(|asked| asked.as_c_str() == name) {
                ids[at] = (id != 0).then_some(id);
            }
        }
    }
    Ok(ids)
}

fn is_none(error: rd::rd_kafka_resp_err_t) -> bool {
    error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}
