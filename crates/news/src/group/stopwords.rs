//! Words that tell no event from another: the plainest of the language, weekdays, and what news says of itself.

use std::sync::LazyLock;

use foldhash::HashSet;

/// Whether a word, in small letters, tells nothing.
pub(crate) fn is_stop_word(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.iter().copied().collect());
    WORDS.contains(word)
}

/// Whether it names a place or an office that all news is full of.
pub(super) fn is_everywhere(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| EVERYWHERE.iter().copied().collect());
    WORDS.contains(word)
}

/// In byte order.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "a", "about", "above", "according", "across", "after", "afterwards", "again", "against", "ago", "all",
    "almost", "along", "already", "also", "although", "always", "am", "amid", "among", "an", "and",
    "another", "any", "anyone", "anything", "are", "aren't", "aren’t", "around", "as", "ask", "asked", "at",
    "away", "back", "be", "became", "because", "become", "been", "before", "began", "behind", "being",
    "below", "between", "both", "but", "by", "called", "came", "can", "can't", "cannot", "can’t", "come",
    "could", "couldn't", "couldn’t", "day", "days", "did", "didn't", "didn’t", "do", "does", "doesn't",
    "doesn’t", "doing", "don't", "done", "don’t", "down", "during", "each", "earlier", "early", "either",
    "else", "end", "enough", "even", "ever", "every", "everyone", "everything", "far", "few", "first",
    "following", "for", "former", "found", "friday", "from", "full", "further", "gave", "get", "getting",
    "give", "given", "go", "going", "got", "great", "had", "hadn't", "hadn’t", "has", "hasn't", "hasn’t",
    "have", "haven't", "haven’t", "having", "he", "he'd", "he'll", "he's", "her", "here", "hers", "herself",
    "he’d", "he’ll", "he’s", "him", "himself", "his", "how", "however", "i", "i'd", "i'll", "i'm", "i've",
    "if", "in", "including", "indeed", "instead", "into", "is", "isn't", "isn’t", "it", "it's", "its",
    "itself", "it’s", "i’d", "i’ll", "i’m", "i’ve", "just", "keep", "know", "known", "last", "late",
    "later", "least", "left", "less", "let", "like", "likely", "long", "look", "looking", "made", "make",
    "makes", "making", "man", "many", "may", "maybe", "me", "mean", "means", "men", "might", "monday",
    "month", "months", "more", "most", "mr", "mrs", "ms", "much", "must", "my", "myself", "near", "need",
    "never", "new", "news", "next", "no", "nor", "not", "nothing", "now", "of", "off", "often", "old", "on",
    "once", "one", "ones", "only", "onto", "or", "other", "others", "our", "ours", "ourselves", "out",
    "over", "own", "part", "people", "per", "perhaps", "place", "point", "put", "quite", "rather", "re",
    "really", "report", "reported", "reports", "right", "said", "same", "saturday", "saw", "say", "saying",
    "says", "second", "see", "seem", "seemed", "seen", "set", "several", "shall", "she", "she'd", "she'll",
    "she's", "she’d", "she’ll", "she’s", "should", "show", "since", "so", "some", "someone", "something",
    "soon", "statement", "still", "such", "sunday", "take", "taken", "taking", "tell", "than", "that",
    "that's", "that’s", "the", "their", "theirs", "them", "themselves", "then", "there", "there's",
    "there’s", "these", "they", "they'd", "they'll", "they're", "they've", "they’d", "they’ll", "they’re",
    "they’ve", "thing", "things", "think", "this", "those", "though", "three", "through", "thursday",
    "thus", "time", "times", "to", "today", "together", "told", "tomorrow", "too", "took", "toward",
    "towards", "try", "tuesday", "two", "under", "until", "up", "upon", "us", "use", "used", "very", "via",
    "want", "was", "wasn't", "wasn’t", "way", "we", "we'd", "we'll", "we're", "we've", "wednesday", "week",
    "weeks", "well", "went", "were", "weren't", "weren’t", "we’d", "we’ll", "we’re", "we’ve", "what",
    "when", "where", "whether", "which", "while", "who", "whole", "whom", "whose", "why", "will", "with",
    "within", "without", "won't", "won’t", "would", "wouldn't", "wouldn’t", "year", "years", "yes",
    "yesterday", "yet", "you", "you'd", "you'll", "you're", "you've", "young", "your", "yours", "yourself",
    "you’d", "you’ll", "you’re", "you’ve",
];

/// Places and offices that stand in half of all world news: that two articles share them says that both are news, not
/// that they tell of one event. In byte order.
#[rustfmt::skip]
const EVERYWHERE: &[&str] = &[
    "abuja", "accra", "afghan", "afghanistan", "africa", "african", "aires", "albania", "albanian",
    "algeria", "algerian", "algiers", "ambassador", "america", "american", "americans", "amman", "angeles",
    "angola", "ankara", "arabia", "argentina", "argentine", "armenia", "armenian", "asia", "asian",
    "assembly", "athens", "australia", "australian", "austria", "austrian", "authorities", "azerbaijan",
    "baghdad", "bahrain", "baku", "bangkok", "bangladesh", "beijing", "beirut", "belarus", "belarusian",
    "belgian", "belgium", "belgrade", "berlin", "bogota", "bolivia", "bolivian", "bosnia", "brasilia",
    "brazil", "brazilian", "britain", "british", "brussels", "bucharest", "budapest", "buenos", "bulgaria",
    "bulgarian", "cabinet", "cairo", "cambodia", "cameroon", "canada", "canadian", "canberra", "caracas",
    "chancellor", "chile", "chilean", "china", "chinese", "colombia", "colombian", "commission",
    "committee", "congo", "congolese", "congress", "congressional", "copenhagen", "council", "court",
    "croatia", "croatian", "cuba", "cuban", "cyprus", "czech", "damascus", "danish", "defence", "defense",
    "delhi", "democrat", "democratic", "democrats", "denmark", "department", "dhaka", "diplomat",
    "diplomats", "doha", "dublin", "dutch", "ecuador", "egypt", "egyptian", "embassy", "england", "english",
    "envoy", "eritrea", "estonia", "estonian", "ethiopia", "ethiopian", "eu", "europe", "european",
    "europeans", "federal", "finland", "finnish", "foreign", "france", "french", "geneva", "georgia",
    "georgian", "german", "germans", "germany", "ghana", "government", "governments", "greece", "greek",
    "greenland", "guatemala", "hague", "haiti", "haitian", "hanoi", "havana", "helsinki", "honduras",
    "house", "hungarian", "hungary", "iceland", "india", "indian", "indonesia", "indonesian", "interior",
    "iran", "iranian", "iraq", "iraqi", "ireland", "irish", "islamabad", "israel", "israeli", "israelis",
    "istanbul", "italian", "italy", "jakarta", "jamaica", "japan", "japanese", "jerusalem", "jordan",
    "jordanian", "kabul", "kazakhstan", "kenya", "kenyan", "kiev", "korea", "korean", "kosovo", "kremlin",
    "kuwait", "kyiv", "laos", "latvia", "latvian", "lawmakers", "leader", "leaders", "lebanese", "lebanon",
    "libya", "libyan", "lima", "lisbon", "lithuania", "lithuanian", "london", "los", "luxembourg",
    "macedonia", "madrid", "malaysia", "malaysian", "mali", "malta", "manila", "mexican", "mexico",
    "military", "minister", "ministers", "ministry", "minsk", "moldova", "mongolia", "montenegro",
    "moroccan", "morocco", "moscow", "mozambique", "myanmar", "nairobi", "nations", "nato", "nepal",
    "netherlands", "nicaragua", "niger", "nigeria", "nigerian", "norway", "norwegian", "official",
    "officials", "oman", "opposition", "oslo", "ottawa", "pakistan", "pakistani", "palestine",
    "palestinian", "palestinians", "panama", "paraguay", "paris", "parliament", "party", "peru", "peruvian",
    "philippine", "philippines", "poland", "police", "polish", "pope", "portugal", "portuguese", "prague",
    "president", "presidential", "presidents", "pretoria", "prime", "qatar", "republican", "republicans",
    "riyadh", "romania", "romanian", "rome", "russia", "russian", "russians", "rwanda", "santiago", "saudi",
    "scotland", "scottish", "secretary", "senate", "senator", "senegal", "senior", "seoul", "serbia",
    "serbian", "singapore", "slovakia", "slovenia", "sofia", "somali", "somalia", "spain", "spanish",
    "spokesman", "spokesperson", "spokeswoman", "state", "states", "stockholm", "sudan", "sudanese",
    "sweden", "swedish", "swiss", "switzerland", "sydney", "syria", "syrian", "taipei", "taiwan",
    "taiwanese", "tanzania", "tbilisi", "tehran", "thai", "thailand", "tokyo", "tripoli", "troops", "tunis",
    "tunisia", "turkey", "turkish", "türkiye", "uganda", "uk", "ukraine", "ukrainian", "ukrainians", "un",
    "united", "uruguay", "us", "usa", "uzbekistan", "venezuela", "venezuelan", "vienna", "vietnam",
    "vietnamese", "vilnius", "wales", "war", "warsaw", "washington", "welsh", "white", "yemen", "yemeni",
    "york", "zambia", "zimbabwe", "zurich",
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_lists_are_in_order() {
        assert!(super::STOP_WORDS.is_sorted());
        assert!(super::EVERYWHERE.is_sorted());
    }
}
