/**
 * An issuer over HTTP around @digitalbazaar/vc, without a database: what the service is compared with.
 *
 * In:  one line, the question of tests/bench/subject.py
 * Out: one line, the port. POST an order as our API takes it; the answer is 201 with the credential.
 */
import {randomUUID} from 'node:crypto';
import {createServer} from 'node:http';
import {createInterface} from 'node:readline';
import {implementation} from './digitalbazaar.mjs';

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const question = JSON.parse((await lines.next()).value);
const {issue} = await implementation(question);
const [base] = question.credentials;
const folder = base.id.slice(0, base.id.lastIndexOf('/') + 1);

const server = createServer({keepAliveTimeout: 60_000}, (request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', async () => {
    try {
      const body = await issue(credentialOf(JSON.parse(Buffer.concat(parts))));
      response.writeHead(201, {
        'Content-Type': 'application/vc+ld+json', 'Content-Length': Buffer.byteLength(body)
      });
      response.end(body);
    } catch(error) {
      response.writeHead(500).end(String(error));
    }
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

function credentialOf({holder, assessedOn}) {
  const [identity] = base.credentialSubject.identifier;
  return {
    ...base,
    id: folder + randomUUID(),
    awardedDate: `${assessedOn}T00:00:00+01:00`,
    credentialSubject: {
      ...base.credentialSubject,
      id: `urn:uuid:${randomUUID()}`,
      identifier: [{...identity, identityHash: holder.name}]
    }
  };
}
