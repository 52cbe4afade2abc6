// The tasks for promptfoo: `promptfoo eval -c promptfoo_config.js --repeat 3 --no-cache -o out.json`.
const tasks = require("./tasks.json");

module.exports = {
  description: "support",
  prompts: ["{{input}}"],
  providers: [
    {
      id: "openai:chat:support",
      config: { apiBaseUrl: `${process.env.AGENT_URL}/v1`, apiKey: "none" },
    },
  ],
  tests: tasks.map((task) => ({
    description: task.id,
    vars: { input: task.input },
    assert: [{ type: "contains", value: task.expects }],
  })),
};
