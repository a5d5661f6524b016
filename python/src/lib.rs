//! The native half of the Python package: specs and methods by id. Everything that a user sees is in `python/guerdon`.
//!
//! Values cross as plain Python objects; numbers in bulk cross as numpy arrays, in which NaN stands for "unscored" (what
//! trainers do with `None`). The GIL is released while Rust works.

use std::sync::Arc;

use guerdon::ask::Models;
use guerdon::core::method::{Kind, Reply};
use guerdon::core::{Column, Frame, Groups, Outcome, View};
use guerdon::rank::{self, Comparisons, Job};
use guerdon::{Scorer, Spec};
use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pythonize::{depythonize, pythonize};
use serde_json::Value;

fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn run_error(error: impl std::fmt::Display) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// A reward spec, with the state of its online transforms.
#[pyclass(name = "Spec", module = "guerdon._native")]
struct PySpec {
    scorer: Scorer,
    /// Who is asked by [`PySpec::judge`]; made when the first is.
    models: Option<Arc<dyn Models>>,
}

#[pymethods]
impl PySpec {
    #[staticmethod]
    fn from_path(path: &str) -> PyResult<Self> {
        let spec = Spec::from_path(path.as_ref()).map_err(value_error)?;
        Ok(Self { scorer: Scorer::new(spec), models: None })
    }

    #[staticmethod]
    fn from_value(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let value: Value = depythonize(value)?;
        let spec = Spec::from_value("<spec>", &value).map_err(value_error)?;
        Ok(Self { scorer: Scorer::new(spec), models: None })
    }

    /// The names of the signals.
    #[getter]
    fn signals(&self) -> Vec<String> {
        self.scorer.spec().signals.iter().map(|s| s.name.clone()).collect()
    }

    /// Scores rows (a list of dicts): one output row per input row, in the same order.
    fn score<'py>(
        &mut self,
        py: Python<'py>,
        rows: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows: Vec<Value> = depythonize(rows)?;
        let scorer = &mut self.scorer;
        let out = py.detach(|| -> Result<Vec<Value>, guerdon::RunError> {
            let scored = scorer.score_rows(rows)?;
            let row = |i| {
                Value::Object(guerdon::engine::output_row(
                    scorer.spec(),
                    &scored,
                    i,
                    guerdon::engine::RowOptions::default(),
                ))
            };
            Ok((0..scored.rollouts.len()).map(row).collect())
        });
        Ok(pythonize(py, &out.map_err(run_error)?)?)
    }

    /// Judges rows (a list of dicts): one output row per input row, in the same order.
    #[pyo3(signature = (rows, name = None))]
    fn judge<'py>(
        &mut self,
        py: Python<'py>,
        rows: &Bound<'py, PyAny>,
        name: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows: Vec<Value> = depythonize(rows)?;
        let out = py.detach(|| -> Result<_, guerdon::RunError> {
            let models = match &self.models {
                Some(models) => Arc::clone(models),
                None => guerdon::engine::client(self.scorer.spec())?,
            };
            self.models = Some(Arc::clone(&models));
            guerdon::engine::judge_rows(self.scorer.spec(), models.as_ref(), name, rows)
        });
        Ok(pythonize(py, &out.map_err(run_error)?)?)
    }

    /// What models were asked and what that cost; None where none were.
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let judged = self.models.as_ref().map_or(Value::Null, |models| models.ledger());
        let scored = self.scorer.ledger();
        Ok(pythonize(py, &if judged.is_null() { scored } else { judged })?)
    }

    /// The state of all online transforms.
    fn save<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.scorer.save())?)
    }

    /// Puts a saved state back.
    fn restore(&mut self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        self.scorer.restore(&depythonize(state)?).map_err(run_error)
    }
}

fn find(id: &str) -> PyResult<&'static guerdon::core::Method> {
    guerdon::find(id).ok_or_else(|| {
        let hint = guerdon::nearest_method(id)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        PyKeyError::new_err(format!("there is no method `{id}`{hint}"))
    })
}

/// Every method: id, kind, documentation, schema of its parameters.
#[pyfunction]
fn methods(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let all: Vec<Value> = guerdon::methods()
        .map(|m| {
            serde_json::json!({
                "id": m.id,
                "kind": m.kind.name(),
                "doc": m.doc,
                "papers": m.papers,
                "parameters": (m.params.schema)().to_value(),
            })
        })
        .collect();
    Ok(pythonize(py, &all)?)
}

/// The JSON schema of reward specs.
#[pyfunction]
fn schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    Ok(pythonize(py, &guerdon::spec::schema())?)
}

/// Calls a function or selector: input and output are plain Python objects.
#[pyfunction]
#[pyo3(signature = (id, input, params, seed = 0))]
fn call<'py>(
    py: Python<'py>,
    id: &str,
    input: &Bound<'py, PyAny>,
    params: &Bound<'py, PyAny>,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    find(id)?;
    let (input, params): (Value, Value) = (depythonize(input)?, depythonize(params)?);
    let out = py.detach(|| guerdon::call(id, params, input, seed)).map_err(value_error)?;
    Ok(pythonize(py, &out)?)
}

/// Takes a conversation with a model one step on: `{"ask": requests}` or `{"done": result}`.
#[pyfunction]
#[pyo3(signature = (id, case, rounds, params, seed = 0))]
fn converse<'py>(
    py: Python<'py>,
    id: &str,
    case: &Bound<'py, PyAny>,
    rounds: &Bound<'py, PyAny>,
    params: &Bound<'py, PyAny>,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    find(id)?;
    let (case, params): (Value, Value) = (depythonize(case)?, depythonize(params)?);
    let rounds: Vec<Vec<Reply>> = depythonize(rounds)?;
    let next = py.detach(|| guerdon::converse(id, params, &case, &rounds, seed));
    Ok(pythonize(py, &next.map_err(value_error)?)?)
}

/// Values (NaN where unscored) and, row by row, why there is none.
type ValuesAndReasons<'py> = (Bound<'py, PyArray1<f64>>, Vec<Option<String>>);

/// Scores rollouts (dicts with `completion`, `reference`, `prompt`, ...) with one signal.
///
/// Returns the values (NaN where unscored) and, row by row, the reason or None.
#[pyfunction]
fn score_signal<'py>(
    py: Python<'py>,
    id: &str,
    rows: &Bound<'py, PyAny>,
    params: &Bound<'py, PyAny>,
) -> PyResult<ValuesAndReasons<'py>> {
    let Kind::Signal(build) = find(id)?.kind else {
        return Err(PyValueError::new_err(format!("`{id}` is no signal")));
    };
    let signal = build(depythonize(params)?).map_err(value_error)?;
    let rows: Vec<Value> = depythonize(rows)?;
    let outcomes = py.detach(|| -> Result<Vec<Outcome>, guerdon::io::ReadError> {
        let rollouts = guerdon::io::rollouts_from_values(
            rows,
            &guerdon::io::Mapping::default(),
            signal.reads_completion(),
        )?;
        Ok(guerdon::engine::score_in_order(signal.as_ref(), rollouts))
    });
    let outcomes = outcomes.map_err(value_error)?;
    let values: Vec<f64> =
        outcomes.iter().map(|o| o.as_ref().map_or(f64::NAN, guerdon::core::Score::value)).collect();
    let reasons = outcomes.into_iter().map(|o| o.err().map(|reason| reason.to_string())).collect();
    Ok((values.into_pyarray(py), reasons))
}

/// Applies one transform to values (NaN where unscored), with group numbers and auxiliary columns.
#[pyfunction]
#[pyo3(signature = (id, values, groups, columns, params, seed = 0))]
fn transform<'py>(
    py: Python<'py>,
    id: &str,
    values: &Bound<'py, PyArray1<f64>>,
    groups: Option<&Bound<'py, PyArray1<i64>>>,
    columns: &Bound<'py, PyDict>,
    params: &Bound<'py, PyAny>,
    seed: u64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let Kind::Transform(build) = find(id)?.kind else {
        return Err(PyValueError::new_err(format!("`{id}` is no transform")));
    };
    let mut stage = build(depythonize(params)?).map_err(value_error)?;
    let values = values.readonly().as_slice().map_err(value_error)?.to_vec();
    let keys = match groups {
        Some(groups) => groups.readonly().as_slice().map_err(value_error)?.to_vec(),
        None => vec![0; values.len()],
    };
    let mut named: Vec<(String, Vec<f64>)> = Vec::new();
    for (name, column) in columns.iter() {
        let column: PyReadonlyArray1<'py, f64> = column.extract()?;
        named.push((name.extract()?, column.as_slice().map_err(value_error)?.to_vec()));
    }
    let out =
        py.detach(|| apply(stage.as_mut(), &values, &keys, &named, seed)).map_err(value_error)?;
    Ok(out.into_pyarray(py))
}

fn apply(
    stage: &mut dyn guerdon::core::method::Transform,
    values: &[f64],
    keys: &[i64],
    named: &[(String, Vec<f64>)],
    seed: u64,
) -> Result<Vec<f64>, guerdon::core::MethodError> {
    guerdon::core::MethodError::same_length(("groups", keys.len()), ("values", values.len()))?;
    let (groups, order) = Groups::from_keys(keys);
    let column = |v: &[f64]| Column::from_options(order.iter().map(|&i| v.get(i).copied()));
    let mut frame = Frame::new(groups);
    for (name, values_of) in named {
        guerdon::core::MethodError::same_length((name, values_of.len()), ("values", values.len()))?;
        frame.insert(name, column(values_of))?;
    }
    let current = column(values);
    let result = stage.apply(&View { frame: &frame, current: Some(&current), seed })?;
    let mut out = vec![f64::NAN; values.len()];
    for (k, &i) in order.iter().enumerate() {
        out[i] = result.get(k).unwrap_or(f64::NAN);
    }
    Ok(out)
}

/// Rates contestants from numbered columns: `first` and `second` index `names`; outcome 0 tie, 1 first, 2 second.
#[pyfunction]
fn rate<'py>(
    py: Python<'py>,
    names: Vec<String>,
    first: &Bound<'py, PyArray1<u32>>,
    second: &Bound<'py, PyArray1<u32>>,
    outcome: &Bound<'py, PyArray1<u8>>,
    methods: &Bound<'py, PyAny>,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let first = first.readonly().as_slice().map_err(value_error)?.to_vec();
    let second = second.readonly().as_slice().map_err(value_error)?.to_vec();
    let outcome = outcome.readonly().as_slice().map_err(value_error)?.to_vec();
    let methods: Vec<(String, Value)> = depythonize(methods)?;
    let boards = py.detach(|| -> Result<Value, guerdon::core::MethodError> {
        let outcome = outcome.into_iter().map(outcome_of).collect::<Result<_, _>>()?;
        let all = Comparisons::new(names, first, second, outcome)?;
        let report = Job::new(methods, seed)?.run(&all, None)?;
        if let Some(failure) = report.failures.first() {
            let text = format!("{}: {}", failure.method, failure.error);
            return Err(guerdon::core::MethodError::domain(text));
        }
        serde_json::to_value(&report.boards)
            .map_err(|error| guerdon::core::MethodError::domain(error.to_string()))
    });
    Ok(pythonize(py, &boards.map_err(value_error)?)?)
}

fn outcome_of(code: u8) -> Result<rank::Outcome, guerdon::core::MethodError> {
    match code {
        0 => Ok(rank::Outcome::Tie),
        1 => Ok(rank::Outcome::First),
        2 => Ok(rank::Outcome::Second),
        other => Err(guerdon::core::MethodError::domain(format!(
            "the outcome {other} is none of 0 (tie), 1 (first), 2 (second)"
        ))),
    }
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<PySpec>()?;
    module.add_function(wrap_pyfunction!(methods, module)?)?;
    module.add_function(wrap_pyfunction!(schema, module)?)?;
    module.add_function(wrap_pyfunction!(call, module)?)?;
    module.add_function(wrap_pyfunction!(converse, module)?)?;
    module.add_function(wrap_pyfunction!(score_signal, module)?)?;
    module.add_function(wrap_pyfunction!(transform, module)?)?;
    module.add_function(wrap_pyfunction!(rate, module)?)?;
    Ok(())
}
