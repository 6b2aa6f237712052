/** The quick starts with the topics of the console in place of their own. Sans-I/O. */

const LIST = /^(\s*(?:const |var |\$)?topics(?: =|=| := ) *)(?:\[\]string\{.*\}|\[.*\]|".*")(;?)$/m;

/** Return a program that subscribes to these topics. @param {string} program @param {string[]} topics */
export function withTopics(program, topics) {
  if (!topics.length) return program;
  return program.replace(LIST, (line, start, end) => {
    const texts = topics.map((topic) => JSON.stringify(topic));
    if (line.includes("[]string{")) return `${start}[]string{${texts.join(", ")}}${end}`;
    if (line.includes("[")) return `${start}[${texts.join(", ")}]${end}`;
    return `${start}${JSON.stringify(topics.join(","))}${end}`;
  });
}
