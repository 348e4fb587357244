// A server in a process of its own that costs its clients as little as a server can: it answers every GET with the same few bytes, and reads
// nothing of a request but its end. Sends its port to whoever forked it, and ends with them.
import { type AddressInfo, createServer, type Socket } from 'node:net';

const BODY = '{"id":17,"name":"keelson"}';
const RESPONSE = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
const END_OF_HEAD = '\r\n\r\n';

function serve(socket: Socket): void {
  let unanswered = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy()); // a client that was killed
  socket.on('data', (chunk) => {
    const heads = (unanswered + chunk.toString('latin1')).split(END_OF_HEAD);
    unanswered = heads.pop() ?? '';
    if (heads.length > 0) socket.write(RESPONSE.repeat(heads.length));
  });
}

const server = createServer(serve).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
