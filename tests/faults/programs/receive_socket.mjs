/** A client on the plain WebSocket of Node, or of the package ws; prints all frames as lines of JSON. */

const { WS_URL: url = "", TOKEN: token = "", TOPIC: topic = "", WS_MODULE: path } = process.env;
const { WebSocket } = path ? await import(path) : globalThis;
/** @type {string | undefined} */ let since;

function connect() {
  const socket = new WebSocket(`${url}?token=${token}`);
  socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", topics: [topic], since }));
  socket.onmessage = (/** @type {MessageEvent} */ { data }) => {
    const frame = JSON.parse(data);
    since = frame.cursor ?? since;
    console.log(data);
  };
  socket.onerror = () => {};
  socket.onclose = () => setTimeout(connect, 100);
}

connect();
