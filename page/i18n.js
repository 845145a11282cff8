// The page's words: each in English and in Japanese.

export const WORDS = {
  conversations: ["Conversations", "会話一覧"],
  new: ["New conversation", "新しい会話"],
  demo: ["See it forget and remember", "忘れて、思い出すところを見る"],
  none: ["It opens 21 messages, of which the model sees 20. Or say something:", "21 件のうち、モデルに見えるのは 20 件です。話しかけることもできます："],
  example1: ["My name is Naomi Watanabe.", "私の名前は渡辺直美です。"],
  example2: ["What is my name?", "私の名前なんだっけ？"],
  tagline: ["A chat backend that remembers. Above the line the model cannot see; below it, it can.", "会話を覚えるチャットバックエンド。線より上はモデルに見えず、下は見えます。"],
  message: ["Message", "メッセージ"],
  placeholder: ["Write a message", "メッセージを書く"],
  send: ["Send", "送信"],
  stop: ["Stop", "停止"],
  again: ["Ask again", "もう一度聞く"],
  regenerate: ["Regenerate", "答え直す"],
  inFork: ["Ask the last question anew, in a fork", "最後の質問を、分岐した会話で聞き直す"],
  stopped: ["You stopped reading. The turn goes on, and is stored whole when it ends.", "読むのを止めました。ターンは続き、終わると丸ごと保存されます。"],
  fork: ["Fork", "分岐"],
  erase: ["Erase", "消去"],
  eraseSure: ["Erase this conversation, for good?", "この会話を完全に消去しますか？"],
  line: ["The model sees from here on", "モデルに見えるのはここから"],
  hidden: ["{n} left out", "{n} 件は対象外"],
  allSeen: ["All in view", "すべて見えています"],
  proof: ["Show it everything, and ask again", "すべて見せて、もう一度聞く"],
  locked: ["This server asks for an API key.", "このサーバーには API キーが必要です。"],
  keyHint: ["Its console shows one for the user local. The page forgets it when you leave.", "起動時のコンソールに、ユーザー local のキーがあります。ページを閉じると消えます。"],
  notes: ["Notes stand in for what is above", "上の部分はノートが代わりをします"],
  recalled: ["Recalled from earlier", "過去から想起"],
  user: ["You", "あなた"],
  assistant: ["Assistant", "アシスタント"],
  system: ["System", "システム"],
  tool: ["Tool", "ツール"],
  reasoning: ["Reasoning", "推論"],
  tokens: ["{n} tokens", "{n} トークン"],
  next: ["next turn: {n} tokens", "次のターン：{n} トークン"],
  held: ["{n} messages", "{n} 件"],
  kept: ["{n} of {m} messages", "{m} 件中 {n} 件"],
  context: ["Context", "コンテキスト"],
  turn: ["Turn", "ターン"],
  memory: ["Memory", "メモリ"],
  json: ["JSON", "JSON"],
  inspector: ["Inspector", "インスペクター"],
  sees: ["What the model sees", "モデルに見えるもの"],
  seesNext: ["What the model would see with your message", "このメッセージを送るとモデルに見えるもの"],
  saves: ["{n} % fewer tokens than all of it ({m})", "全体（{m} トークン）より {n} % 少ない"],
  savesNothing: ["That is all of it.", "これで全部です。"],
  inHistory: ["The history, {n} items; what the model sees is filled", "会話履歴 {n} 件。モデルに見えるものは塗りつぶし"],
  parts: ["By part", "内訳"],
  part_system: ["System", "システム"],
  part_notes: ["Notes", "ノート"],
  part_history: ["History", "履歴"],
  part_recalled: ["Recalled", "想起"],
  part_input: ["Input", "入力"],
  part_tools: ["Tools", "ツール"],
  part_framing: ["Framing", "枠"],
  total: ["Total", "合計"],
  budget: ["Budget", "上限"],
  over: ["Over budget", "上限超過"],
  stale: ["Notes are behind", "ノートが遅れています"],
  policy: ["What if the memory were", "もしメモリポリシーが"],
  buffer: ["Everything", "すべて"],
  message_window: ["Messages", "メッセージ数"],
  turn_window: ["Turns", "ターン数"],
  token_window: ["Tokens", "トークン数"],
  summary: ["Summary", "要約"],
  summary_window: ["Summary + window", "要約＋直近"],
  hint: ["Move it and watch the line. Then ask again: the model knows what is below.", "動かすと線が動きます。もう一度聞くと、線より下だけを見て答えます。"],
  apply: ["Keep it", "保存する"],
  reset: ["Undo", "元に戻す"],
  stored: ["stored with the conversation", "会話に保存済み"],
  default: ["the default", "既定"],
  whatif: ["what if", "試算"],
  compared: ["Side by side", "ポリシーの比較"],
  reason_summarised: ["in the notes", "ノートにあり"],
  reason_not_yet_summarised: ["not in the notes yet", "ノートにまだなし"],
  reason_forgotten: ["forgotten", "忘却"],
  reason_recalled: ["recalled", "想起"],
  reason_cleared: ["cleared", "置き換え"],
  noTurn: ["Send a message to see what a turn costs.", "メッセージを送ると、ターンの内訳が見えます。"],
  cache: ["Response cache", "レスポンスキャッシュ"],
  hit: ["the model was not called", "ヒット：モデルを呼んでいません"],
  miss: ["the model was called", "ミス：モデルを呼びました"],
  bypass: ["not for the cache", "バイパス：キャッシュの対象外"],
  savedTold: ["{n} tokens and {m} ms of the model saved", "モデルの {n} トークンと {m} ミリ秒を節約"],
  age: ["Age", "経過"],
  seconds: ["{n} s", "{n} 秒"],
  ms: ["{n} ms", "{n} ミリ秒"],
  usage: ["Tokens", "トークン"],
  usageTold: ["{i} in, {o} out", "入力 {i}、出力 {o}"],
  firstToken: ["First token", "最初のトークン"],
  whole: ["Whole answer", "回答全体"],
  timing: ["Where the time went", "時間の内訳"],
  stage_way: ["on the way", "経路"],
  stage_stream: ["words come", "文字が届く"],
  stage_saved: ["model, saved", "モデル（節約）"],
  noMemory: ["No long-term memory yet. It is made after a while, off the request path.", "まだ長期の会話メモリはありません。要約と事実は、応答のあとで作られます。"],
  status: ["State", "状態"],
  status_none: ["nothing yet", "まだなし"],
  status_current: ["up to date", "最新"],
  status_pending: ["due", "更新待ち"],
  status_stale: ["behind an erasure", "消去のあと更新待ち"],
  status_failed: ["the last try failed", "前回は失敗"],
  covers: ["Covers", "反映済み"],
  coversTold: ["the first {n} items", "最初の {n} 件"],
  rebuild: ["Make it again", "作り直す"],
  theUser: ["The user", "利用者"],
  score: ["score {n} · {m} tokens", "スコア {n} · {m} トークン"],
  noRecall: ["Nothing yet. Write a message: what it brings up is shown before it is sent.", "まだありません。メッセージを書くと、送る前に想起されるものが見えます。"],
  facts: ["Facts", "事実"],
  current: ["holds", "有効"],
  superseded: ["ended", "終了"],
  retracted: ["taken back", "取り消し"],
  since: ["since {d}", "{d} から"],
  until: ["until {d}", "{d} まで"],
  evidence: ["Show source", "発言を表示"],
  correct: ["Correct", "訂正"],
  correctTo: ["What should it say?", "正しい内容は？"],
  apply2: ["Save", "保存"],
  cancel: ["Cancel", "やめる"],
  forget: ["Forget", "忘れる"],
  forgetAll: ["Forget this memory", "この会話メモリを忘れる"],
  graph: ["Graph", "ナレッジグラフ"],
  index: ["Index", "索引"],
  turns: ["{n} turns", "{n} ターン"],
  noMomento: ["Only an embedded Momento is shown here.", "組み込みの Momento だけが見られます。"],
  list: ["List, as LangChain reads it", "リスト（LangChain が読む形）"],
  value: ["Memory value", "メモリの値"],
  key: ["Key", "キー"],
  messages: ["Messages", "メッセージ"],
  size: ["Size", "大きさ"],
  bytes: ["{n} bytes", "{n} バイト"],
  operations: ["operations by the last turn", "操作（直前のターン）"],
  empty: ["nothing", "なし"],
  expires: ["Expires in", "有効期限まで"],
  wipe: ["Wipe the cache", "キャッシュを空にする"],
  wipeHint: ["DynamoDB has it all: the next turn still knows, and fills the cache again.", "DynamoDB に残るので、次のターンも覚えていて、キャッシュを埋め直します。"],
  model: ["Model", "モデル"],
  language: ["日本語", "English"],
  close: ["Dismiss", "閉じる"],
  chats: ["Chats", "会話"],
  chat: ["Chat", "チャット"],
  failed: ["It did not work", "うまくいきませんでした"],
};

const LANGUAGES = ["en", "ja"];
let chosen = "en";
export const language = () => chosen;

/** Choose the language: what was chosen before, else the browser's. */
export function start() {
  const before = sessionStorage.getItem("language");
  use(before ?? (navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en"));
}

export function use(name) {
  chosen = LANGUAGES.includes(name) ? name : "en";
  document.documentElement.lang = chosen;
}

export function toggle() {
  use(chosen === "ja" ? "en" : "ja");
  sessionStorage.setItem("language", chosen);
}

/** Say something, with its blanks filled; what has no word is said as it is. */
export function t(key, blanks = {}, unknown = key) {
  const text = WORDS[key]?.[LANGUAGES.indexOf(chosen)] ?? unknown;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = blanks[name];
    return typeof value === "number" ? number(value) : String(value);
  });
}

export const number = (value) => new Intl.NumberFormat(chosen).format(value);
/** Tell when something was: today by the hour alone. */
export function when(seconds) {
  const date = new Date(seconds * 1000);
  return date.toLocaleString(chosen, { timeStyle: "short", dateStyle: date.toDateString() === new Date().toDateString() ? undefined : "short" });
}
/** Write seconds as a clock does: hours, minutes, seconds. */
export const clock = (seconds) => [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part, place) => String(Math.floor(part)).padStart(place && 2, "0")).join(":");
