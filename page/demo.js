// A conversation whose beginning a window of twenty messages has lost: what is asked about it then shows the line.

export const DEMO = {
  en: [
    "My name is Naomi Watanabe.", "Nice to meet you, Naomi.",
    "I am going to Osaka next Tuesday, for work.", "How long will you stay?",
    "Three days. I come back on Thursday night.", "Then a hotel near the station is handy.",
    "My sister Yuki lives in Osaka.", "You could meet her on Wednesday evening.",
    "I am allergic to crab.", "No crab, then. Noted.",
    "The meetings begin at nine.", "So breakfast at half past seven.",
    "I have a dog called Pochi. He stays at home.", "I hope somebody walks him.",
    "My neighbour does. What shall I bring her?", "Baumkuchen keeps for a week.",
    "Good. And for Yuki?", "Tea from Uji, perhaps.",
    "Please sum up the plan.", "Tuesday to Thursday, near the station; dinner with Yuki, no crab; cake and tea.",
  ],
  ja: [
    "私の名前は渡辺直美です。", "直美さん、はじめまして。",
    "来週の火曜から、仕事で大阪へ行きます。", "何日間のご滞在ですか。",
    "三日間です。木曜の夜に帰ります。", "それなら、駅に近い宿が便利です。",
    "大阪には妹の由紀が住んでいます。", "水曜の夜に会えそうですね。",
    "カニのアレルギーがあります。", "カニは避けますね。",
    "会議は九時からです。", "では、朝食は七時半に。",
    "犬を飼っています。ポチは留守番です。", "散歩はどなたが？",
    "隣の方です。お礼は何がいいでしょう？", "日持ちのするバウムクーヘンはいかがですか。",
    "いいですね。妹には？", "宇治のお茶が喜ばれそうです。",
    "予定をまとめてください。", "火曜から木曜、宿は駅の近く。夕食は由紀さんと、カニ抜きで。お土産は菓子とお茶です。",
  ],
};
