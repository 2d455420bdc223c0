import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { analysis, canonicalJson, funnel, query } from '../question.js'

const golden = (name) => JSON.parse(readFileSync(new URL(`../../../tests/golden/${name}`, import.meta.url)))

test('canonical JSON is what Python writes', () => {
  for (const [value, expected] of golden('canonical_json.json')) assert.equal(canonicalJson(value), expected)
  for (const value of [NaN, Infinity, undefined, 1n]) assert.throws(() => canonicalJson(value), TypeError)
})

const camel = (word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

test('the words make the bodies that Python makes', () => {
  for (const { words, body } of golden('questions.json')) {
    let question = query({}, ...words[0].slice(1))
    for (const [word, ...values] of words.slice(1)) question = question[camel(word)](...values)
    assert.equal(question.toCanonicalJson(), canonicalJson(body))
  }
})

test('a question is not changed by the next word, nor from outside', () => {
  const fields = [['a.b', 'c']]
  const first = query({}, 'a.b').groupBy(...fields)
  first.count().where('x', 'exists').toDict().metrics.push('x')
  fields[0].push('d')
  assert.deepEqual(first.toDict(), { from: 'a.b', group_by: [['a.b', 'c']], metrics: ['count'] })
})

test('analyses have their routes', () => {
  const steps = funnel({}, ['a.view', { from: 'a.pay' }], { window: '1h' })
  assert.deepEqual([steps.path, steps.toDict()], ['/v1/funnel', { steps: [{ from: 'a.view' }, { from: 'a.pay' }], window: '1h' }])
  assert.equal(analysis({}, 'paths', { from: 'web.page' }).path, '/v1/paths')
})

test('a question is posted with its key, and a refusal is thrown with its place', async () => {
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === 'Bearer k'
    response.writeHead(isKnown ? 200 : 400)
    response.end(JSON.stringify(isKnown ? { results: [{ count: 1 }], meta: {}, query: {} } : { error: { code: 'c', message: 'm', pointer: '/p' } }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`
  try {
    assert.deepEqual((await query({ url, readKey: 'k' }, 'a.b').run()).rows, [{ count: 1 }])
    await assert.rejects(query({ url, readKey: '' }, 'a.b').run(), { code: 'c', message: 'm', pointer: '/p', status: 400 })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
