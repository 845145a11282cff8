"""Words that questions are made of, whatever they ask: in a short conversation they are as rare as any other."""

from __future__ import annotations

from functools import cache

from chat_core.long_term.recall.terms import terms

COMMON_WORDS = {
    "en": """
        a about after again all also am an and any are aren't as at be because been before being both but by can can't
        could couldn't did didn't do does doesn't doing don't down ever for from get give go got had has have having he
        her here him his how i i'd i'll i'm i've if in into is isn't it it's its just know let like make me more most
        much my no not now of off on once one only or other our out over please remember said same say she should so
        some such tell than that that's the their them then there these they this those through to told too under until
        up us use very was wasn't we were what what's when where which while who who's whom why will with won't would
        you you're your yours
    """,
    "de": """
        aber als am an auch auf aus bei bin bis da dann das dass dein dem den der des die dir du ein eine einem einen
        einer er es für gesagt hab habe haben hat ich ihr im in ist ja kann mein mich mir mit nach nicht noch nur oder
        sein sich sie sind so über um und uns von war waren was wann warum wer wie wir wird wo zu zum zur
    """,
    "es": """
        a al como con cuál cuándo cuánto de del dije dijo dónde el ella en era eres es esta estaba este esto fue ha he
        la las lo los me mi mis muy más no nos o para pero por qué que quién se si sobre su sus te tu tus un una y ya yo
    """,
    "fr": """
        à ai as au aux avec c'est ce ces cette comment d'un d'une dans de des dit du elle en est est-ce et était il ils
        j'ai je la le les leur lui ma mais me mes moi mon ne nous on ou où par pas plus pour pourquoi qu'est qu'il quand
        que quel quelle qui sa se ses son sur ta te tes toi ton tu un une vous y
    """,
    "it": """
        a al anche che chi ci come con cosa da dei del della detto di dove e è era gli ha ho i il in io la le lo ma mi
        mia mio nel non o per perché più quale quando quanto se sei si sono su ti tu tua tuo un una
    """,
    "pt": """
        a ao as com como da das de disse do dos e é ela ele em era essa esse esta está eu foi há isso já mais mas me meu
        minha na não no nos o onde os ou para pela pelo por porque quais qual quando quanto que quem se sem seu sua
        sobre são te tem um uma você
    """,
}
"""By language; where two share a word it is common in both."""


@cache
def common_terms() -> frozenset[int]:
    """Tell the terms of all of them."""
    return terms(" ".join(COMMON_WORDS.values()))
