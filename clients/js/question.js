// Questions, put together word by word; each word makes a new one. No dependency, no build step.
//
//   const {rows} = await query(server, 'shop.pay').sum('price', {as: 'revenue'}).groupBy('category').last('7d').run()

/** The text of a value in canonical JSON (RFC 8785), the same as from Python. */
export function canonicalJson(value) {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} has no canonical JSON`)
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`${typeof value} has no canonical JSON`)
  // The default order of sort() is that of UTF-16 code units, which is the RFC's.
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`)
  return `{${members.join(',')}}`
}

const METRICS = ['sum', 'avg', 'min', 'max', 'median', 'unique', 'values']

/** A question of `/v1/query` or of an analysis. */
export class Question {
  #server
  #body

  constructor(server, path, body) {
    this.#server = server
    this.path = path
    this.#body = structuredClone(body)
    Object.freeze(this)
  }

  /** Add a metric by its name. */
  metric(op, field, { as, ...options } = {}) {
    if (field === undefined && as === undefined && Object.keys(options).length === 0) return this.#add('metrics', op)
    const named = { op }
    if (field !== undefined) named.field = field
    if (as !== undefined) named.as = as
    return this.#add('metrics', { ...named, ...options })
  }

  count(options) {
    return this.metric('count', undefined, options)
  }

  percentile(share, field, options) {
    return this.metric(`p${share}`, field, options)
  }

  /** Keep events for which it holds; several hold together. */
  where(field, op, value) {
    if (value === undefined && op === 'exists') return this.filter({ field, op })
    return this.filter({ field, op, value: value === undefined ? null : value })
  }

  filter(...filters) {
    return this.#add('filters', ...filters)
  }

  having(metric, op, value) {
    return this.#add('having', { field: metric, op, value })
  }

  groupBy(...fields) {
    return this.#add('group_by', ...fields)
  }

  interval(interval) {
    return this.options({ interval })
  }

  last(span) {
    return this.options({ date_range: span })
  }

  /** The range from `start` to before `end`, in ISO 8601. */
  between(start, end) {
    return this.options({ date_range: [start, end] })
  }

  timezone(timezone) {
    return this.options({ timezone })
  }

  /** The order of rows; `-revenue` descends. */
  orderBy(...names) {
    return this.#add('order_by', ...names.map((name) => (name.startsWith('-') ? [name.slice(1), 'desc'] : [name, 'asc'])))
  }

  limit(limit, offset) {
    return this.options(offset === undefined ? { limit } : { limit, offset })
  }

  include(parts) {
    return this.options({ include: { ...this.#body.include, ...parts } })
  }

  /** Anything else of the body, by its name. */
  options(options) {
    return new Question(this.#server, this.path, { ...this.#body, ...options })
  }

  /** The body, as `run` sends it. */
  toDict() {
    const body = structuredClone(this.#body)
    if (this.path === '/v1/query' && body.metrics === undefined) body.metrics = ['count']
    return body
  }

  /** The body as canonical JSON. */
  toCanonicalJson() {
    return canonicalJson(this.toDict())
  }

  /** Ask; what the server refuses is thrown as an Error with `code`, `pointer` and `hint`. */
  async run() {
    const { url, readKey } = this.#server
    const answer = await fetch(url.replace(/\/+$/, '') + this.path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${readKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(this.toDict()),
    })
    const content = await answer.json().catch(() => ({}))
    if (!answer.ok) {
      const { message, ...facts } = content.error ?? {}
      throw Object.assign(new Error(message ?? `the server answered ${answer.status}`), facts, { status: answer.status })
    }
    return { rows: content.results ?? content, meta: content.meta ?? {}, query: content.query ?? {} }
  }

  #add(name, ...values) {
    return this.options({ [name]: [...(this.#body[name] ?? []), ...values] })
  }
}

for (const op of METRICS) {
  Object.defineProperty(Question.prototype, op, {
    value(field, options) {
      return this.metric(op, field ?? (op === 'unique' ? 'person' : undefined), options)
    },
  })
}

/** Begin a question on tables. */
export function query(server, ...tables) {
  return new Question(server, '/v1/query', { from: tables.length === 1 ? tables[0] : tables })
}

/** How many get from step to step: tables, or objects with filters. */
export function funnel(server, steps, options = {}) {
  const named = steps.map((step) => (typeof step === 'string' ? { from: step } : step))
  return new Question(server, '/v1/funnel', { steps: named, ...options })
}

/** Another analysis, by its name and body. */
export function analysis(server, name, body) {
  return new Question(server, `/v1/${name}`, body)
}
