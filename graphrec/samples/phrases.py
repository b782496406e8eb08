"""What the synthetic reviewers say. Neutral as to the hidden themes: no phrase here names one of their words.

Slots: {noun} the product, {brand} its maker, {other} another maker, {material}, {colour}, {person}, {event}, {time},
{scene} of a hidden theme; {this}, {It}, {is} and so on agree with the noun (``writer.agreement``).
"""

from __future__ import annotations

PERSONS = (
    *("my daughter", "my son", "my brother", "my sister", "my wife", "my husband", "a friend", "my bandmate"),
    *("my father", "my mother", "our drummer", "our singer", "our bass player", "my nephew", "my cousin"),
)

EVENTS = (
    *("our Friday rehearsals", "a birthday", "the school band", "a wedding", "Sunday afternoons", "the summer party"),
    *("our covers band", "a long weekend", "the holidays", "a house concert", "our cellar band", "an anniversary"),
)

TIMES = (
    *("two days", "a week", "two weeks", "a month", "six weeks", "two months", "three months", "half a year"),
    *("nine months", "a year", "almost two years", "a dozen sessions", "thirty hours of playing"),
)

OPENINGS = (
    "I bought {this_} {noun} for {event}.",
    "{person_cap} asked for {this_} {noun} and I had a go as well.",
    "After {time} with {this_} {noun} I can say a few things.",
    "{this} {brand} {noun} arrived last week.",
    "I had read a lot about {brand} before I ordered {this_} {noun}.",
    "I needed {article}{noun} for {event} and chose {brand}.",
    "My old {noun} gave up, so I ordered {this_} from {brand}.",
    "{this} {was} a gift from {person}.",
    "I have had {brand} gear before and wanted to try {this_} {noun}.",
    "I ordered {this_} in {colour}, mostly for {event}.",
    "{this} {is} my second {set}from {brand}.",
    "It took me {time} to make up my mind about {this_} {noun}.",
    "I went through three other makers before I came to {this_} {noun}.",
    "{person_cap} and I share {this_} {noun}.",
    "I did not expect much from {material} at this price.",
)

DETAILS = (
    "Delivery took three days.",
    "Setting {them} up took a minute.",
    "I have used {them} nearly every day since.",
    "The pictures show what you get.",
    "I tried {them} at home first and then with {person}.",
    "{person_cap} noticed {them} before I had said a word.",
    "The {colour} version looks darker in real life.",
    "Customer service at {brand} answered my question within a day.",
    "I read the manual twice.",
    "There was no smell out of the box.",
    "I would have liked more colours than {colour}.",
    "For {event} I tried a few alternatives as well.",
)

COMPARISONS = {
    True: (
        "I compared {them} with what {other} has to offer and stayed with {brand}.",
        "Next to my old {other}, {it} {does} the job better.",
        "{person_cap} uses the {other} version and wants to swap.",
        "I had {other} before and do not look back.",
        "{other} asks for more and gives less.",
    ),
    False: (
        "What I had from {other} before was much better.",
        "I should have stayed with {other}.",
        "{person_cap} uses the {other} version and has no such trouble.",
        "Next time I will pay a little more for {other}.",
    ),
}

# of a hidden theme, by those who are not pleased
THEME_COMPLAINTS = (
    "{It} {is} sold for {scene}, and that is just where {it} fail{s}.",
    "I wanted something for {scene} and got this instead.",
    "For {scene} I shall look elsewhere.",
    "Maybe somebody needs {them} for {scene}; I do not.",
)

CLOSINGS = {
    1: (
        "I sent {them} back.",
        "Save your money.",
        "I cannot recommend {this_} {noun} to anybody.",
        "One star, and that is generous.",
        "I asked {brand} for a refund and still wait for an answer.",
        "Never again.",
    ),
    2: (
        "I expected more from {brand}.",
        "I would not buy {them} again.",
        "Two stars, because at least the delivery was fast.",
        "I will look for something else soon.",
        "Too many small faults for my taste.",
    ),
    3: (
        "All in all {it} {is} okay, no more.",
        "I am in two minds about {them}.",
        "Not bad, not great.",
        "For {event} {it} will do.",
        "I keep {them}, but I keep looking as well.",
    ),
    4: (
        "All in all I am happy with {them}.",
        "One star short of perfect.",
        "I would buy {them} again.",
        "A good choice, with small faults.",
        "{person_cap} wants one too.",
    ),
    5: (
        "Highly recommended.",
        "I could not be happier.",
        "{brand} has won me over.",
        "Best {noun} I have ever owned.",
        "I have already ordered another for {person}.",
        "Five stars without a second thought.",
    ),
}

SUMMARIES = {
    1: ("Very disappointed", "Stay away", "Bad {aspect}", "Waste of money", "Returned the {noun}"),
    2: ("Below expectations", "Weak {aspect}", "Not for me", "Expected better from {brand}", "Could be much better"),
    3: ("It is okay", "Mixed feelings", "Average {noun}", "The {aspect} could be better", "Does the job, just"),
    4: ("Good {noun}", "Nice {aspect}", "Nearly perfect", "Happy with this", "Solid work from {brand}"),
    5: ("Excellent {aspect}", "Love it", "Best {noun} I own", "Perfect", "{brand} at its best", "Great {noun}!"),
}

# aspect: (what the pleased say, what the disappointed say)
ASPECTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "accuracy": (
        ("the accuracy is excellent", "the accuracy beats my phone by far", "I trust the accuracy completely"),
        ("the accuracy is poor", "the accuracy suffers in a loud room", "I had to check the accuracy by ear"),
    ),
    "balance": (
        ("the balance is perfect in my hand", "I love the balance", "the balance feels natural from the start"),
        ("the balance is off", "the balance is far too heavy at the front", "I could not get used to the balance"),
    ),
    "bass": (
        ("the bass is deep and round", "the bass is wonderful", "there is plenty of bass without any boom"),
        ("the bass is thin", "the bass is muddy", "I miss some bass"),
    ),
    "battery": (
        ("the battery lasts for weeks", "the battery life is great", "I have not changed the battery yet"),
        ("the battery dies far too soon", "the battery door broke at once", "the battery life is terrible"),
    ),
    "buckle": (
        ("the buckle holds firmly", "the buckle is solid and looks good", "the buckle slides easily and stays put"),
        ("the buckle slips", "the buckle feels cheap", "the buckle scratched my guitar"),
    ),
    "cable": (
        ("the cable is long and never tangles", "the cable is sturdy", "I like that the cable comes off"),
        ("the cable is too short", "the cable tangles all the time", "the cable failed near the plug"),
    ),
    "clarity": (
        ("the clarity is amazing", "every word comes through with great clarity", "the clarity surprised {person}"),
        ("the clarity is disappointing", "there is no clarity in the high notes", "the clarity goes once it gets loud"),
    ),
    "comfort": (
        ("the comfort is superb even after hours", "the comfort surprised {person}",
         "the comfort is better than I had hoped"),
        ("the comfort is poor after half an hour", "comfort was an afterthought", "there is no comfort at all"),
    ),
    "connectors": (
        ("the connectors are solid", "the connectors click into place nicely", "the connectors are well soldered"),
        ("the connectors are loose", "one of the connectors came apart", "the connectors crackle"),
    ),
    "controls": (
        ("the controls are simple and precise", "the controls turn smoothly", "I like the clear controls"),
        ("the controls are confusing", "the controls feel wobbly", "the controls are too close together"),
    ),
    "display": (
        ("the display is bright and easy to read", "one can read the display in the sun", "the display is very clear"),
        ("the display is hard to read", "the display is too dim", "the display scratched within days"),
    ),
    "durability": (
        ("the durability is impressive", "no sign of wear so far, so the durability is fine",
         "the {material} is a good choice for durability"),
        ("the durability is awful", "{it} broke after {time}, so much for durability",
         "the {material} does nothing for the durability"),
    ),
    "feel": (
        ("the feel under the fingers is lovely", "the feel is smooth and even", "I like the feel of the {material}"),
        ("the feel is rough", "the feel is stiff and tiring", "the feel of the {material} is unpleasant"),
    ),
    "finish": (
        ("the {colour} finish is gorgeous", "the finish is flawless", "the finish looks better than in the pictures"),
        ("the {colour} finish came off quickly", "the finish is sloppy", "the finish had scratches out of the box"),
    ),
    "grip": (
        ("the grip is secure even with sweaty hands", "the grip is excellent", "I like the firm grip"),
        ("the grip is slippery", "the grip lets go at the worst moment", "the grip is too hard"),
    ),
    "hair": (
        ("the hair takes rosin well", "the hair is even and clean", "the hair bites the string nicely"),
        ("the hair fell out in strands", "the hair is uneven", "the hair does not hold rosin"),
    ),
    "hardware": (
        ("the hardware is of good quality", "the hardware is solid", "all the hardware fits tightly"),
        ("the hardware is cheap", "a screw of the hardware was missing", "the hardware rusts already"),
    ),
    "height": (
        ("the height adjusts easily", "the height is just right for me", "the height stays where I set it"),
        ("the height slips down slowly", "the height is hard to adjust", "the height is too low for tall people"),
    ),
    "instructions": (
        ("the instructions are clear", "the instructions are short and helpful", "the good instructions saved me time"),
        ("the instructions are useless", "the instructions are only in tiny print", "the instructions left out a step"),
    ),
    "intonation": (
        ("the intonation is spot on", "the intonation is very good", "the intonation pleased even {person}"),
        ("the intonation is off", "the intonation gets worse higher up", "I could not fix the intonation"),
    ),
    "length": (
        ("the length is just right", "the length is generous", "I like that the length suits tall and small people"),
        ("the length is less than promised", "the length is awkward", "the length does not suit me at all"),
    ),
    "noise floor": (
        ("the noise floor is very low", "the noise floor is excellent", "the noise floor is a pleasant surprise"),
        ("the noise floor is too high", "it hums, the noise floor is terrible", "the noise floor ruins soft passages"),
    ),
    "packaging": (
        ("the packaging is neat and without plastic", "the packaging was perfect", "I liked the careful packaging"),
        ("the packaging was torn", "there is far too much packaging", "the packaging did not protect anything"),
    ),
    "padding": (
        ("the padding is thick and soft", "the padding is great", "the padding protects well"),
        ("the padding is too thin", "the padding went flat quickly", "the padding smells bad"),
    ),
    "price": (
        ("the price is fair", "for the price it is great value", "the price is hard to beat"),
        ("the price is too high", "for the price I expected better", "the price is a joke"),
    ),
    "rebound": (
        ("the rebound is lively", "the rebound is quick and even", "I love the rebound"),
        ("the rebound is dull", "the rebound is uneven", "there is hardly any rebound"),
    ),
    "response": (
        ("the response is quick", "the response is excellent at any volume", "the response to a light touch is great"),
        ("the response is slow", "the response is uneven", "it takes force to get any response"),
    ),
    "shielding": (
        ("the shielding keeps out all hum", "the shielding is very good", "the shielding leaves no crackle"),
        ("the shielding is bad", "the shielding picks up radio", "there seems to be no shielding at all"),
    ),
    "size": (
        ("the size is perfect", "I like the compact size", "the size is just what I needed"),
        ("the size is wrong", "the size is bigger than it looks in the pictures", "the size makes it awkward to store"),
    ),
    "stability": (
        ("the stability is rock solid", "the stability is excellent on any floor", "the stability is a nice surprise"),
        ("the stability is poor", "it wobbles, the stability is a problem", "the stability is worrying"),
    ),
    "stitching": (
        ("the stitching is neat", "the stitching is strong", "the stitching has held up well"),
        ("the stitching came loose", "the stitching is sloppy", "the stitching gave way after {time}"),
    ),
    "sustain": (
        ("the sustain is beautiful", "the sustain goes on and on", "the sustain is remarkable"),
        ("the sustain is short", "there is hardly any sustain", "the sustain is disappointing"),
    ),
    "tone": (
        ("the tone is warm and full", "I love the bright tone", "the tone is beautiful"),
        ("the tone is thin and harsh", "the tone is dull", "the tone is lifeless"),
    ),
    "tuning stability": (
        ("the tuning stability is very good", "I rarely have to retune, so the tuning stability is great",
         "the tuning stability impressed {person}"),
        ("the tuning stability is bad", "it goes flat all the time, there is no tuning stability",
         "the tuning stability is a nightmare"),
    ),
    "volume": (
        ("the volume is ample", "there is more volume than I need", "the volume is impressive for the size"),
        ("the volume is too low", "the volume jumps without warning", "the volume is disappointing"),
    ),
    "weight": (
        ("the weight is pleasantly low", "I like the light weight", "the weight is just right"),
        ("the weight is too much for me", "the weight is tiring", "the weight is a problem"),
    ),
    "zip": (
        ("the zip runs smoothly", "the zip is sturdy", "the zip is excellent"),
        ("the zip got stuck", "the zip broke after {time}", "the zip is flimsy"),
    ),
}  # fmt: skip

PREFIXES = (*("",) * 6, "I must say, ", "Honestly, ", "So far ", "By now ", "In my opinion ")
AGREE = ("{a}, and {b}.", "{a}; {b}.", "{a}. Also, {b}.", "{a}. What is more, {b}.")
DIFFER = ("{a}, but {b}.", "{a}. On the other hand, {b}.", "Although {a}, {b}.", "{a}, yet {b}.")
