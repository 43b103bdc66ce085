// usage: node run_cdk.js NODE_MODULES '[["deploy", "Standard", "--app", "assembly"], ...]'
// Runs commands of the CDK one after the other in one process. Prints a JSON list to standard error: for each, null or
// the name of the error and its message. The CDK ignores an option that does not exist, so it is looked up here.
const [modules, commands] = process.argv.slice(2);
const registry = require(`${modules}/aws-cdk/lib/cli/cli-type-registry.json`);
const { exec } = require(`${modules}/aws-cdk/lib/index.js`);

// How a mistake in the usage ends.
process.exit = (code) => {
  throw Object.assign(new Error(`ended with ${code}`), { name: "Usage" });
};

function unknownOption([command, ...rest]) {
  const options = { ...registry.globalOptions, ...registry.commands[command]?.options };
  const names = Object.entries(options).flatMap(([name, { alias }]) => [name, `no-${name}`].concat(alias ?? []));
  return rest.find((word) => word.startsWith("-") && !names.includes(word.replace(/^--?/, "").split("=")[0]));
}

async function outcome(command) {
  const option = unknownOption(command);
  if (option) return ["Usage", `there is no option ${option}`];
  try {
    await exec([...command, "--no-notices", "--ci"]);
    return null;
  } catch (error) {
    return [error.name, error.message];
  }
}

(async () => {
  const outcomes = [];
  for (const command of JSON.parse(commands)) outcomes.push(await outcome(command));
  process.stderr.write(`\n${JSON.stringify(outcomes)}`);
})();
