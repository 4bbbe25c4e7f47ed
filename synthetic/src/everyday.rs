//! Words and hashtags that a person can read.
//!
//! Idea: whoever looks at a dashboard should see words, not noise. So the commonest ranks of each language are real
//! everyday words, roughly in the order in which speech has them, and only the long tail behind them is invented.
//! Invariant: no list is empty; a word is one segment without spaces, and none repeats within its list.

/// English.
pub const ENGLISH: &str = "the to a I and of you is in it for that on my this we be so not with me have are but was \
    just at all what like if your up out get can do about now no one when from they good day how love new he more she \
    time who don't will today see people know go back as or really think make want an got too need right still our \
    work here first never best great always over after been why some night going much let even \
    well way look thing feel should could only life home week man world her him his their them us year last next \
    morning tonight tomorrow happy thanks please watch live game team play win music song show news friend family \
    coffee tea bread train bus street city rain sun snow wind weather cold warm summer winter spring autumn sea \
    mountain river garden tree flower bird dog cat horse fish food dinner lunch breakfast cake apple kitchen house \
    door window book page story letter word school teacher class study exam phone photo picture camera film match \
    goal score season club player coach ball run walk bike road car plane airport ticket travel holiday beach hotel \
    market shop price money job office meeting boss project idea plan code computer screen data update release \
    version bug test science space moon star rocket planet doctor health sleep dream smile laugh cry birthday party \
    dance light dark red blue green white black yellow big small old young fast slow early late open close start \
    finish help hope wait stop listen read write speak learn build fix buy sell find lose remember forget";

/// Spanish.
pub const SPANISH: &str = "de que no a la el es y en lo un por qué me una te se los con para mi está si bien pero yo \
    eso las sí su tu aquí del al como le más esto ya todo esta vamos muy hay ahora algo estoy tengo nos tú nada cuando \
    ha este sé así puedo quiero sólo soy tiene gracias día noche mañana hoy ayer amigo amor casa calle ciudad tiempo \
    lluvia sol playa montaña fiesta música canción partido equipo gol café pan agua perro gato niño niña año vida \
    mundo feliz siempre nunca bueno grande pequeño nuevo viaje tren coche libro escuela trabajo";

/// German; nouns have their capitals.
pub const GERMAN: &str = "ich das ist du nicht die und es der was wir zu ein in sie mir mit ja wie den auf mich dass \
    so hier eine wenn hat all sind von dich war haben für an habe da nein bin noch dir uns sich nur einen kann dem \
    auch schon als dann heute morgen gestern immer nie wieder gut schön groß klein neu alt Tag Nacht Woche Jahr Leben \
    Zeit Haus Straße Stadt Wetter Regen Sonne Schnee Freund Liebe Kaffee Brot Bahn Zug Fahrrad Fußball Spiel Tor \
    Musik Lied Buch Schule Arbeit Urlaub Berg Wald Grüße Glück";

/// Russian.
pub const RUSSIAN: &str = "и в не на я что он с как это по но они мы все она так его за был от то же бы у вы из ты \
    для мне уже только когда сегодня завтра вчера день ночь утро вечер человек люди жизнь время год дом город улица \
    дорога поезд машина погода дождь снег солнце море гора друг любовь семья мама кофе чай хлеб вода собака кошка \
    музыка песня игра команда матч гол победа книга школа работа новости спасибо привет хорошо очень новый большой \
    маленький красивый всегда никогда";

/// Japanese; written without spaces.
pub const JAPANESE: &str = "今日 明日 昨日 本当 自分 時間 人 日本 東京 大阪 京都 電車 駅 天気 雨 雪 桜 花火 海 山 空 夏 冬 \
    春 秋 朝 夜 仕事 学校 先生 友達 家族 子供 猫 犬 写真 映画 音楽 歌 試合 野球 サッカー ゲーム アニメ 漫画 本 新聞 ニュース \
    コーヒー お茶 ラーメン 寿司 パン ケーキ 朝ごはん 楽しい 嬉しい 美味しい 寒い 暑い 眠い 可愛い すごい 大好き 最高 ありがとう \
    おはよう おやすみ お疲れ様 頑張る 見る 行く 食べる 飲む 買う 読む 聞く 始まる 終わる 新しい 大きい 小さい 旅行 休み 誕生日 地震 台風";

/// Korean.
pub const KOREAN: &str = "오늘 내일 어제 정말 너무 진짜 우리 그리고 지금 다시 사람 시간 하루 아침 저녁 밤 날씨 비 눈 바다 산 \
    하늘 여름 겨울 봄 가을 친구 가족 사랑 집 학교 회사 일 음악 노래 영화 드라마 사진 게임 축구 야구 경기 팀 승리 커피 밥 빵 물 고양이 \
    강아지 책 뉴스 서울 부산 지하철 버스 여행 휴가 생일 파티 감사합니다 안녕하세요 좋아요 행복 재미있다 맛있다 새로운 항상 같이 많이 조금";

/// Arabic.
pub const ARABIC: &str = "في من على ما هذا إلى أن كل مع لا يا هو عن أنا اليوم غدا أمس الآن بعد قبل يوم ليلة صباح مساء \
    الخير الحب الحياة الناس العالم الوقت بيت مدينة شارع قطار سيارة مطر شمس بحر جبل صديق عائلة قهوة شاي خبز ماء قلب موسيقى \
    أغنية مباراة فريق هدف فوز كتاب مدرسة عمل أخبار شكرا مرحبا جميل جديد كبير صغير دائما أبدا كثيرا رمضان عيد سعيد سفر صورة";

/// Thai; written without spaces.
pub const THAI: &str = "วันนี้ พรุ่งนี้ เมื่อวาน ไป มา ที่ นี้ มี ไม่ ได้ เป็น ให้ กับ และ แต่ มาก ดี รัก คน เวลา ชีวิต บ้าน เมือง ถนน รถ รถไฟ \
    ฝน แดด ทะเล ภูเขา ฟ้า เช้า เย็น กลางคืน เพื่อน ครอบครัว แม่ พ่อ กาแฟ ชา ข้าว น้ำ อร่อย หมา แมว เพลง หนัง เกม ฟุตบอล ทีม ชนะ \
    หนังสือ โรงเรียน งาน ข่าว ขอบคุณ สวัสดี สนุก สวย ใหม่ ใหญ่ เล็ก เสมอ เที่ยว วันเกิด สุขใจ หนาว ร้อน";

/// Hashtags that are always about, the commonest first; the Latin ones come in more than one spelling.
pub const TAGS: &str = "Rust news music love photo GoodMorning Football Coffee OpenSource travel GameDay weather Monday \
    Friday kafka DataFlow nature food cats dogs art BookClub fitness Science Space coding Linux jobs 今日のごはん 写真 猫 \
    おはよう アニメ ラーメン 桜 野球 日本 음악 축구 고양이 여행 드라마 Москва новости музыка утро футбол погода الحب اليوم \
    أخبار كرة_القدم صباح_الخير ข่าว เพลง กาแฟ แมว เที่ยว café España Música fútbol Straße Fußball Berlin Sonntag Garten \
    buenosdías playa 100DaysOfCode NowPlaying tbt ff vintage DIY recipes sunset throwback Art2day";

/// Hashtags that rise when something happens.
pub const EVENTS: &str = "CupFinal GOAL PenaltyShootout NewAlbum TourDates SolarEclipse RocketLaunch Blackout Earthquake \
    StormWatch TransferNews SeasonFinale ElectionNight BreakingNews Rust2027 ReleaseDay MarathonSunday TrainStrike \
    地震速報 花火大会 大雪 紅白 新曲発表 決勝戦 台風接近 월드컵 결승전 컴백 첫눈 콘서트 Выборы Финал Затмение Снегопад نهائي_الكأس \
    كسوف عاجل هدف น้ำท่วม รอบชิง คอนเสิร์ต Eclipse2027 Tormenta Elecciones GolDeOro Derby Stau Gewitter";

/// Emoji, some of several code points.
pub const EMOJI: &[&str] = &[
    "😂",
    "❤️",
    "😍",
    "🔥",
    "😭",
    "🙏",
    "🎉",
    "😊",
    "👍",
    "✨",
    "☕",
    "🌧️",
    "☀️",
    "⚽",
    "🏆",
    "🚀",
    "🐱",
    "🐶",
    "🍜",
    "🎶",
    "👩‍💻",
    "👍🏽",
    "🇯🇵",
    "🇪🇸",
    "🇩🇪",
    "👨‍👩‍👧",
    "🤷🏻‍♀️",
    "💙",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_list_is_empty_or_repeats_itself() {
        for list in [ENGLISH, SPANISH, GERMAN, RUSSIAN, JAPANESE, KOREAN, ARABIC, THAI, TAGS, EVENTS] {
            let words: Vec<&str> = list.split_whitespace().collect();
            let mut seen = HashSet::new();
            let again: Vec<_> = words.iter().filter(|word| !seen.insert(**word)).collect();
            assert!(words.len() >= 40 && again.is_empty(), "{again:?} in a list of {}", words.len());
        }
    }
}
