//! Coverage of events that never happened, some of it close in topic to real news: the tests throw it in.

/// Event, outlet, text. Two outlets on one event belong together; nothing else does.
pub(crate) const ARTICLES: &[(&str, &str, &str)] = &[
    (
        "taped minister",
        "Skerry Courier",
        "Leaked tape: minister promised the pier to her cousin\n\n\
         A leaked recording of a telephone call in which Transport Minister Cora Light promises the rebuilding of the Skerry pier to a firm \
         owned by her cousin was published on Tuesday by the weekly Plain Sheet, which says it was given the tape by an official.\n\n\
         In the call of nine minutes, recorded in March, Light tells the builder Edgar Light how to word his offer so that it would please the \
         prime minister. The minister's office did not dispute that the voice is hers and said the recording was made against the law.\n\n\
         The opposition asked for her resignation. The pier, wrecked in the storms of last winter, is to cost nine million crowns.\n",
    ),
    (
        "taped minister",
        "Tallow Morning News",
        "Minister coached cousin on pier bid, recording shows\n\n\
         Transport Minister Cora Light coached her cousin, the builder Edgar Light, on how to win the contract for the Skerry pier, according to \
         a recording published by the Plain Sheet.\n\n\
         The tape, nine minutes long and made in March, has the minister explaining what the prime minister likes to read in an offer. Light's \
         office said on Tuesday that the call was private and had been recorded unlawfully, but did not deny it.\n\n\
         Nine million crowns are set aside for the pier. Opposition members want the minister to go.\n",
    ),
    (
        "river talks",
        "Upland Gazette",
        "Peace talks on the Aru river resume in Nairobi\n\n\
         Delegations of the two sides of the Aru river war came together in Nairobi on Wednesday for a third round of talks on a ceasefire, after \
         the second had ended without a paper in September.\n\n\
         The African Union's mediator, Josephine Adoka, has put forward a plan of fourteen points which would withdraw heavy weapons from both \
         banks and open the road to Marral for food. The government side wants the rebels to leave the dam first.\n\n\
         Some two million people have fled since the war began. Both delegations said they expected to stay for a week.\n",
    ),
    (
        "river talks",
        "Nairobi Wire",
        "Adoka puts fourteen-point plan to Aru river delegations\n\n\
         Mediator Josephine Adoka has put a plan of fourteen points before the parties to the Aru river war, who met in Nairobi on Wednesday for \
         their third round this year.\n\n\
         Under it heavy weapons would leave both banks of the river and convoys of food could use the road to Marral. The question of who holds \
         the dam is left to a second paper, to the dismay of the government's delegation.\n\n\
         The African Union said that two million people who fled the war were waiting for a ceasefire before the rains.\n",
    ),
    (
        "oil sanctions",
        "Market Ledger",
        "Washington adds forty tankers to its Russia sanctions\n\n\
         The United States on Thursday put forty tankers and two insurers on its list of sanctions against Russia, in the widest step against the \
         trade in Russian oil this year. The White House said the vessels had carried crude above the price cap.\n\n\
         The Kremlin called the step unlawful. Brent rose by two per cent. Shipping brokers in Athens said that most of the tankers had changed \
         their flags twice since summer and that the cargoes would find other hulls, at a price.\n\n\
         Ukraine, whose envoy in Washington had asked for the measure, welcomed it and named sixty more ships.\n",
    ),
    (
        "power stations",
        "Dnipro Evening",
        "Drones hit power stations in three Ukrainian regions\n\n\
         Russian drones and missiles hit power stations in three regions of Ukraine during the night to Friday, leaving more than three hundred \
         thousand households without electricity, the grid operator said.\n\n\
         In Kharkiv the trams stood still until noon; in Odesa water pumps ran on diesel. The air force said that it had shot down two thirds of \
         the attacking drones. Crews were at work in frost and expected to need four days.\n\n\
         Moscow's defence ministry spoke of strikes on military plants. The Ukrainian president asked partners for more air defence.\n",
    ),
    (
        "gaza hospital",
        "Levant Review",
        "Field hospital opens in northern Gaza\n\n\
         A field hospital with a hundred and twenty beds opened in northern Gaza on Monday, the first to be built there since the ceasefire, the \
         Red Crescent said. Surgeons from six countries will work in it in turns.\n\n\
         Its generators came through the Zikim crossing after eleven days of inspection. Doctors said the greatest need was for dialysis and for \
         the setting of old fractures. The World Health Organization counts more than fourteen thousand patients who wait to be taken abroad.\n\n\
         Israel's coordination office said that thirty lorries of medicine had passed that day.\n",
    ),
    (
        "minerals envoy",
        "Andes Daily",
        "US envoy in La Paz for talks on lithium\n\n\
         The American president's special envoy for minerals, Walter Pruitt, arrived in La Paz on Sunday for three days of talks on lithium, his \
         second visit since spring. The former mining executive is to meet the president and the head of the state lithium company.\n\n\
         On the table is a plan under which an American firm would build two plants on the Uyuni salt flat. Unions at the site have called a strike \
         against it. Pruitt, who has no background in diplomacy, told reporters at the airport that he was there to listen.\n\n\
         China, whose firms hold three contracts, is watching, diplomats in the city said.\n",
    ),
    (
        "election",
        "Budapest Observer",
        "Hungarian parties open campaign over hospitals\n\n\
         Hungary's parties opened their campaign for the spring election in Budapest on Saturday, with waiting lists in hospitals at the head of \
         every speech. Polls see the two largest within three points of each other.\n\n\
         The opposition promised to hire two thousand nurses in a year; the government pointed to eleven wards that it has rebuilt. Tens of \
         thousands stood on Heroes' Square in the rain.\n\n\
         The vote is on 12 April. Observers from abroad have been invited for the first time since 2018.\n",
    ),
    (
        "hotel sale",
        "Property Week of Manhattan",
        "Family firm sells two Manhattan hotels to pension fund\n\n\
         A family of New York developers has sold two hotels near Bryant Park for 640 million dollars to a Canadian pension fund, in the largest \
         deal of its kind this year. The buyer takes over debts of 210 million.\n\n\
         Rooms in Manhattan cost more than ever, but so do wages and loans, brokers said. The seller, whose chairman left the business for a post \
         in government in January, keeps a third hotel at Battery Park.\n\n\
         The fund wants to turn ninety rooms into flats. The city must agree.\n",
    ),
    (
        "taped coach",
        "Sports Sheet",
        "Coach suspended after leaked call about referee\n\n\
         The football association suspended the coach of Harbour United, Ron Gale, on Wednesday after a recording of a call appeared in which he \
         advises a younger colleague to praise the referee before the final. The call, five minutes long, was recorded on 14 October.\n\n\
         Flatter him, then talk about the penalty, Gale says on the tape. He told reporters that every coach does so and that it is a standard way \
         to talk. The club stands by him.\n\n\
         The final, played two days later, ended in a draw. The association will hear both men on Monday.\n",
    ),
    (
        "grain corridor",
        "Black Sea Herald",
        "Grain ships wait as insurers argue over Odesa route\n\n\
         Twenty-three grain ships lay off Odesa on Tuesday while insurers argued over who covers the route along the Ukrainian coast after a mine \
         was seen near Zmiinyi. Exporters spoke of a loss of a million dollars a day.\n\n\
         Ukraine's infrastructure ministry said that sweepers had cleared the lane by evening. Romania offered room in Constanta. The talks in \
         London between underwriters go on.\n\n\
         Maize for Egypt and wheat for Spain make up most of the cargo.\n",
    ),
    (
        "envoy resigns",
        "Harbour Post",
        "Envoy for the northern border steps down\n\n\
         The president's special envoy for the talks on the northern border, Matti Harju, stepped down on Friday for reasons of health, his office \
         said. Harju, a former shipbuilder, had led nine rounds of negotiations in two years.\n\n\
         The talks had come close to a plan to swap land around the lake villages for fishing rights, which the parliament of the neighbour turned \
         down in October. A successor is to be named before the next round, planned for January in Tromsø.\n\n\
         Both governments thanked him. Villagers on the lake said they would miss a man who came in rubber boots.\n",
    ),
    (
        "sea truce",
        "Odesa Evening",
        "Ukraine offers Russia a truce at sea over the winter\n\n\
         Ukraine has offered Russia a truce at sea for the winter months, the Ukrainian president said in Kyiv on Sunday, as a first step towards \
         a wider ceasefire. Neither side would fire on ports or on merchant ships until the end of March.\n\n\
         The Kremlin said it had received the proposal through Ankara and would study it. In Washington the White House welcomed it; the US envoy, \
         it said, would discuss it in Moscow. Turkish officers would watch the lanes from two ships.\n\n\
         A similar plan of nine points failed in spring, when Moscow asked for the lifting of sanctions on a bank, and Putin and Trump could not \
         settle the matter by telephone.\n",
    ),
];
