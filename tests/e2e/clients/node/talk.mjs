// What every client says, and what the stand-in answers to it; talk.py has the same.
export const MODEL = "gpt-4.1-mini";
export const TURNS = [
  ["My name is Naomi Watanabe.", "Hello, Naomi Watanabe! It is nice to meet you."],
  ["Please remember that my seat is 12A.", "I will remember: my seat is 12A"],
  ["What is my name?", "Your name is Naomi Watanabe!"],
];
export const SAID = TURNS.flat();
export const ASKS_WEATHER = "What is the weather in Oslo?";
export const TOLD = "The tool get_weather says: 4C";
export const TOOL_TURN = ["message", "function_call", "function_call_output", "message"];
