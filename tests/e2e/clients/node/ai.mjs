// The AI SDK with its provider for OpenAI.
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, isStepCount, Output, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";
import { ASKS_WEATHER, MODEL, TOLD, TOOL_TURN, TURNS } from "./talk.mjs";

const responses = (baseURL) => createOpenAI({ baseURL, apiKey: "fake-token" })(MODEL);
const completions = (baseURL) => createOpenAI({ baseURL, apiKey: "fake-token" }).chat(MODEL);
const remembered = (conversation) => ({ openai: { conversation } });
const notStored = { openai: { store: false } };
const tools = {
  get_weather: tool({
    description: "Weather by city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => (city === "Oslo" ? "4C" : "unknown"),
  }),
};

async function stored(baseURL, conversation) {
  const client = new OpenAI({ baseURL, apiKey: "fake-token" });
  return (await client.conversations.items.list(conversation, { order: "asc" })).data.map((item) => item.type);
}

async function threeTurnsThatTheAppCarries(model, providerOptions) {
  const messages = [];
  for (const [content, answered] of TURNS) {
    messages.push({ role: "user", content });
    const result = await generateText({ model, messages, providerOptions });
    assert.equal(result.text, answered);
    messages.push(...result.response.messages);
  }
}

async function aToolRoundTrip(model, providerOptions) {
  const result = await generateText({ model, prompt: ASKS_WEATHER, tools, stopWhen: isStepCount(3), providerOptions });
  assert.equal(result.steps.length, 2);
  assert.equal(result.text, TOLD);
}

export async function three_turns_are_remembered(url, name) {
  for (const [prompt, answered] of TURNS) {
    const result = await generateText({ model: responses(url), prompt, providerOptions: remembered(name) });
    assert.equal(result.text, answered);
  }
  assert.equal((await stored(url, name)).length, 6);
}

export async function three_turns_that_the_app_carries_without_storing(url) {
  await threeTurnsThatTheAppCarries(responses(url), notStored);
}

export async function three_turns_that_the_app_carries_by_chat_completions(url) {
  await threeTurnsThatTheAppCarries(completions(url));
}

export async function a_stream(url, name) {
  for (const [prompt, answered] of TURNS) {
    const result = streamText({ model: responses(url), prompt, providerOptions: remembered(name) });
    const deltas = [];
    for await (const delta of result.textStream) deltas.push(delta);
    assert.equal(deltas.join(""), answered);
    assert.ok(deltas.length > 1);
  }
}

export async function a_tool_round_trip_without_storing(url) {
  await aToolRoundTrip(responses(url), notStored);
}

export async function a_tool_round_trip_by_chat_completions(url) {
  await aToolRoundTrip(completions(url));
}

export async function structured_output(url, name) {
  const output = Output.object({ schema: z.object({ name: z.string(), tags: z.array(z.string()) }) });
  const [prompt, answered] = TURNS[0];
  const result = await generateText({ model: responses(url), prompt, output, providerOptions: remembered(name) });
  assert.equal(result.output.name, answered);
}

export async function an_error_names_its_parameter(url, name) {
  const call = generateText({ model: responses(url), prompt: "Hello", topP: 5, providerOptions: remembered(name) });
  await assert.rejects(call, (error) => APICallError.isInstance(error) && error.data.error.param === "top_p");
}

export async function a_tool_round_trip_that_is_remembered(url, name) {
  await aToolRoundTrip(responses(url), remembered(name));
  assert.deepEqual(await stored(url, name), TOOL_TURN);
}

export async function a_tool_round_trip(url) {
  await aToolRoundTrip(responses(url));
}

export async function previous_responses(url) {
  let previousResponseId;
  for (const [prompt, answered] of TURNS) {
    const providerOptions = { openai: { previousResponseId } };
    const result = await generateText({ model: responses(url), prompt, providerOptions });
    assert.equal(result.text, answered);
    previousResponseId = result.providerMetadata.openai.responseId;
  }
}

// By default the provider's own references stand for what was answered: each must be found again.

export async function three_turns_that_the_app_carries(url) {
  await threeTurnsThatTheAppCarries(responses(url));
}

export async function three_streams_that_the_app_carries(url) {
  const messages = [];
  for (const [content, answered] of TURNS) {
    messages.push({ role: "user", content });
    const result = streamText({ model: responses(url), messages });
    assert.equal(await result.text, answered);
    messages.push(...(await result.response).messages);
  }
}
