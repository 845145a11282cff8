// The stock SDK for Node reads one stream; what it heard goes to standard output as JSON.
import OpenAI, { APIError } from "openai";

const [baseURL, kind, body] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "fake-token", maxRetries: 0 });
const heard = { types: [], text: "", error: null };

try {
  if (kind === "helper") {
    const stream = client.responses.stream(JSON.parse(body));
    stream.on("response.output_text.delta", (event) => (heard.text += event.delta));
    const final = await stream.finalResponse();
    heard.types.push(final.status);
    heard.whole = final.output_text;
  } else if (kind === "responses") {
    for await (const event of await client.responses.create({ ...JSON.parse(body), stream: true })) {
      heard.types.push(event.type);
      if (event.type === "response.output_text.delta") heard.text += event.delta;
      if (event.type === "response.completed") heard.whole = event.response.output[0].content[0].text;
    }
  } else {
    for await (const chunk of await client.chat.completions.create({ ...JSON.parse(body), stream: true })) {
      heard.types.push(chunk.object);
      heard.text += chunk.choices[0]?.delta?.content ?? "";
      heard.usage = chunk.usage ?? null;
    }
  }
} catch (error) {
  if (!(error instanceof APIError)) throw error;
  heard.error = { status: error.status ?? null, code: error.code };
}
console.log(JSON.stringify(heard));
