// Runs one story of a file: `node run.mjs FILE STORY URL NAME`. A story is an exported function; it throws what is wrong.
const [file, story, url, name] = process.argv.slice(2);
const stories = await import(`./${file}`);
await stories[story](url, name);
