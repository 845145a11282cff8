// OpenAI's own SDK for JavaScript.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { ASKS_WEATHER, MODEL as model, SAID, TOLD, TOOL_TURN, TURNS } from "./talk.mjs";

const connected = (baseURL) => new OpenAI({ baseURL, apiKey: "fake-token" });
const weather = {
  type: "function",
  name: "get_weather",
  description: "Weather by city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};

async function stored(client, conversation) {
  const items = [];
  for await (const item of client.conversations.items.list(conversation, { order: "asc", limit: 2 })) items.push(item);
  return items;
}

export async function three_turns_are_remembered(url, conversation) {
  const client = connected(url);
  for (const [input, answered] of TURNS) {
    assert.equal((await client.responses.create({ model, conversation, input })).output_text, answered);
  }
  const items = await stored(client, conversation);
  assert.deepEqual(items.map((item) => item.content[0].text), SAID);
}

export async function a_stream(url, conversation) {
  const client = connected(url);
  for (const [input, answered] of TURNS) {
    const deltas = [];
    for await (const event of await client.responses.create({ model, conversation, input, stream: true })) {
      if (event.type === "response.output_text.delta") deltas.push(event.delta);
    }
    assert.equal(deltas.join(""), answered);
    assert.ok(deltas.length > 1);
  }
}

export async function a_tool_round_trip(url, conversation) {
  const client = connected(url);
  const asked = { model, conversation, tools: [weather] };
  const [call] = (await client.responses.create({ ...asked, input: ASKS_WEATHER })).output;
  assert.deepEqual(JSON.parse(call.arguments), { city: "Oslo" });
  const result = { type: "function_call_output", call_id: call.call_id, output: "4C" };
  assert.equal((await client.responses.create({ ...asked, input: [result] })).output_text, TOLD);
  assert.deepEqual((await stored(client, conversation)).map((item) => item.type), TOOL_TURN);
}

export async function structured_output(url, conversation) {
  const format = zodTextFormat(z.object({ name: z.string(), tags: z.array(z.string()) }), "visitor");
  const [input, answered] = TURNS[0];
  const answer = await connected(url).responses.parse({ model, conversation, input, text: { format } });
  assert.equal(answer.output_parsed.name, answered);
}

export async function an_error_names_its_parameter(url, conversation) {
  const call = connected(url).responses.create({ model, conversation, input: "Hello", temperature: 5 });
  await assert.rejects(call, (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature");
}

export async function models_and_tokens(url) {
  const client = connected(url);
  const models = [];
  for await (const each of client.models.list()) models.push(each.id);
  assert.ok(models.includes(model));
  assert.equal((await client.models.retrieve(model)).id, model);
  assert.ok((await client.responses.inputTokens.count({ model, input: "Hello" })).input_tokens > 0);
}

export async function previous_responses(url) {
  const client = connected(url);
  let previous;
  for (const [input, answered] of TURNS) {
    const answer = await client.responses.create({ model, input, previous_response_id: previous });
    assert.equal(answer.output_text, answered);
    previous = answer.id;
  }
  assert.equal((await client.responses.retrieve(previous)).output_text, TURNS.at(-1)[1]);
  await client.responses.delete(previous);
  await assert.rejects(client.responses.retrieve(previous), OpenAI.NotFoundError);
}
