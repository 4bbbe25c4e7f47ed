//! Real tweets: what a reader sees in each file is written down here by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::super::OwnTime;
use super::*;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"))
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(folder().join(path)).unwrap()
}

/// File (less `.json`), id, Unix milliseconds, the beginning and the end of the text, hashtags, whether a retweet.
type Tweet = (&'static str, &'static str, i64, &'static str, &'static str, &'static [&'static str], bool);

#[rustfmt::skip]
const TWEETS: [Tweet; 29] = [
    ("initial_compatibility_classic_hidden_13797", "708067963060916224", 1457651532317, "@jeremycloud Who would win", "FamikDro2h", &[], false),
    ("initial_compatibility_extended_13996", "708067963060916224", 1457651532317, "@jeremycloud Who would win", "FamikDro2h", &[], false),
    ("initial_compatibilityplus_classic_13994", "714461850188926976", 1459175953801, "@jeremycloud It's neat", "eggs from the â€¦ https://t.co/OY7qmdJQnO", &[], false),
    ("initial_compatibilityplus_classic_hidden_13797", "714461850188926976", 1459175953801, "@jeremycloud It's neat", "the owl's nest https://t.co/Q0pkaU4ORH", &[], false),
    ("initial_compatibilityplus_extended_13997", "714461850188926976", 1459175953801, "@jeremycloud It's neat", "the owl's nest https://t.co/Q0pkaU4ORH", &[], false),
    ("initial_extended_classic_14002", "743472511740870657", 1466092634507, "Just setting up my Twitter.", "#myfirstTweet", &["myfirstTweet"], false),
    ("initial_extended_classic_hidden_13761", "743479431658758145", 1466094284344, "@TwitterDev I'm really", "VnJMDg3cbS", &[], false),
    ("initial_extended_extended_14001", "743496707711733760", 1466098403276, "@twitter @twitterdev has", "AWmiH870F7", &[], false),
    ("original__140_characters__hidden___extended__attachment", "755822121331281920", 1469037010878, "this is a tweet with 140", "&gt;140 characters https://t.co/ws1QmqeYo6", &[], false),
    ("original__140_characters__hidden___extended__quoted_w_attachment", "758840203985289220", 1469756577856, "this is a quote of a regular", "sAt9qTEYWy", &[], false),
    ("original__140_characters__hidden___extended__quoted_w_replies_attachment", "758839895745888256", 1469756504366, "this is a quote tweet of a b140", "kv2fg7ViAa", &[], false),
    ("original__140_characters__hidden___extended__replies", "758838116891242496", 1469756080254, "@ygritteygritte @joyding", "to reply say things!!", &[], false),
    ("original__140_characters__hidden___extended__replies_attachment", "758839565989720065", 1469756425746, "@ygritteygritte @joyding", "&amp; I still have room to attach a photo of a puppy! https://t.co/nJXyQ8hfab", &[], false),
    ("original__140_characters__hidden___extended__retweet_w_replies_attachment", "763459917910945792", 1470858003486, "@ygritteygritte @joyding", "of a puppy! https://t.co/nJXyQ8hfab", &[], true),
    ("original___140_characters__hidden__attachment", "755284472208031745", 1468908825338, "image tweet with &lt;140 ch", "ib4Ora8xF4", &[], false),
    ("original___140_characters__hidden__quoted_w_attachment", "758832904415748096", 1469754837503, "this is a quote tweet of an image", "M2NFQpSRAn", &[], false),
    ("original___140_characters__hidden__quoted_w_replies", "758833194632224768", 1469754906696, "This is still the best cat", "Qhq3W7v0BP", &[], false),
    ("original___140_characters__hidden__quoted_w_reply_attachment", "758833866823966720", 1469755066959, "i love eevee", "bGIKJebCjh", &[], false),
    ("original___140_characters__hidden__quoted_w_reply_attachment_mention", "758834578182123520", 1469755236560, "quote tweet of a reply", "q6ynFVIIcZ", &[], false),
    ("original___140_characters__hidden__reply", "758797113446641664", 1469746304271, "@joyding so cool!", "@joyding so cool!", &[], false),
    ("original___140_characters__hidden__reply_attachment", "758801453548916736", 1469747339032, "@joyding spooky!", "wzq98u8cps", &[], false),
    ("original___140_characters__hidden__reply_attachment_mention", "758815976875896832", 1469750801663, "@joyding this is a reply", "HBp26KqscZ", &[], false),
    ("original___140_characters__hidden__retweet_w_attachment", "758831370512633856", 1469754471792, "image tweet with &lt;140 ch", "ib4Ora8xF4", &[], true),
    ("original___140_characters__hidden__retweet_w_reply", "758831688721903616", 1469754547659, "@joyding so cool!", "so cool!", &[], true),
    ("original___140_characters__hidden__retweet_w_reply_attachment", "758831941189636098", 1469754607852, "@joyding spooky!", "wzq98u8cps", &[], true),
    ("original___140_characters__hidden__retweet_w_reply_attachment_mention", "758832396334575617", 1469754716367, "@joyding this is a reply", "HBp26KqscZ", &[], true),
    ("original_classic__no_hidden__mention", "760211303956832257", 1470083473563, "Gnip 2.0 is here!", "lJq7Fzt1Re", &["justthebeginning"], false),
    ("original_classic__no_hidden__quote", "761709711112667136", 1470440721668, "Killing it #unbiased", "U9WP5jvXoP", &["unbiased"], false),
    ("original_classic__no_hidden__retweet", "758013561356419072", 1469559490895, "Twitter’s new video ad", "via @Recode", &[], true),
];

/// Two tweets, one behind the other.
const SEVERAL: [&str; 2] = ["initial_compatibility_classic_13995", "original_classic__no_hidden__tweet"];

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn every_tweet_is_read_as_a_reader_sees_it() {
    for (file, id, ms, start, end, hashtags, repost) in TWEETS {
        let json = read(&format!("tweets-v1/{file}.json"));
        for format in [Format::Tweet, Format::Auto] {
            let Ok(Record::Post(post)) = decode(format, json.as_bytes()) else { panic!("{file}: no post") };
            assert_eq!((post.id.as_deref(), post.time), (Some(id), OwnTime::At(ms)), "{file}");
            assert!(post.text.starts_with(start) && post.text.ends_with(end), "{file}: {}", post.text);
            assert_eq!(
                (post.hashtags.unwrap(), post.repost, post.html),
                (hashtags.iter().copied().map(Into::into).collect(), repost, true),
                "{file}"
            );
            assert_eq!(post.lang.as_deref(), Some("en"), "{file}");
            assert!(
                ["MrBonesDroid", "beyond_oneforty", "ygritteygritte", "atornes"]
                    .contains(&&*post.author.unwrap())
            );
        }
    }
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn no_file_is_left_out() {
    let files = fs::read_dir(folder().join("tweets-v1")).unwrap().map(|file| file.unwrap().file_name());
    let names = files.filter_map(|name| name.to_str()?.strip_suffix(".json").map(str::to_owned));
    let expected = TWEETS.iter().map(|tweet| tweet.0).chain(SEVERAL);
    assert_eq!(names.collect::<BTreeSet<_>>(), expected.map(str::to_owned).collect());
}

#[test]
#[ignore = "reads ../shared/data, see .ci/run"]
fn a_file_of_several_documents_is_no_json() {
    for file in SEVERAL {
        let json = read(&format!("tweets-v1/{file}.json"));
        assert_eq!(reason(Format::Tweet, json.as_bytes()), Some(Reason::Json), "{file}");
        assert_eq!(reason(Format::Auto, json.as_bytes()), Some(Reason::Json), "{file}");
    }
}
