// The module of an application that makes its metrics when it is loaded.
const { Counter, register } = require('@llm-devops/prometheus-metrics');

const requests = new Counter({ name: 'requests_total', help: 'Requests' });

module.exports = { requests, register };
