//! What is asked of a worker, and how question and answer are made of words.

use std::sync::Arc;
use std::time::Duration;

use pos_kernel_espresso::{Cover, Error, Layout, MEMORY_BYTES_DEFAULT, Minimizer, Mode, Solution};

use crate::ender::Ender;
use crate::link::{Body, Fault};

/// Wall limit of a job unless another is set.
const WALL_DEFAULT: Duration = Duration::from_secs(60);
/// Memory limit of a job unless another is set.
const MEMORY_DEFAULT: u64 = 4 << 30;
/// Words of a job before the sizes of its multi-valued inputs.
const FIXED_WORDS: usize = 14;

/// What a job may take before its worker is ended. These are hard: the system or the pool enforces
/// them, whatever the worker does. They come on top of the minimiser's own, which end in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time from the moment that a worker gets the job to its answer.
    pub wall: Duration,
    /// CPU time of all its threads together, in steps of a second; needs a Unix system.
    pub cpu: Option<Duration>,
    /// Bytes that the run may take besides the question; needs Linux, and is left out elsewhere only
    /// when it is `None`.
    pub memory_bytes: Option<u64>,
}

impl Default for Limits {
    /// One minute, no limit on CPU, and 4 GiB where that can be enforced.
    fn default() -> Limits {
        let memory_bytes = cfg!(target_os = "linux").then_some(MEMORY_DEFAULT);
        Limits { wall: WALL_DEFAULT, cpu: None, memory_bytes }
    }
}

/// A function to minimise, and how: the settings are those of [`Minimizer`], and an answer is the same
/// as that of [`Minimizer::minimize`].
#[derive(Debug, Clone)]
pub struct Job {
    f: Cover,
    d: Option<Cover>,
    r: Option<Cover>,
    mode: Mode,
    threads: usize,
    time_limit: Option<Duration>,
    memory_limit: usize,
    pub(crate) limits: Limits,
    pub(crate) ender: Option<Ender>,
}

impl Job {
    /// The function with ON-set `f`.
    pub fn new(f: Cover) -> Job {
        Job {
            f,
            d: None,
            r: None,
            mode: Mode::Normal,
            threads: 1,
            time_limit: None,
            memory_limit: MEMORY_BYTES_DEFAULT,
            limits: Limits::default(),
            ender: None,
        }
    }
    /// Sets the don't-cares.
    pub fn dont_cares(mut self, d: Cover) -> Job {
        self.d = Some(d);
        self
    }
    /// Sets the OFF-set.
    pub fn off(mut self, r: Cover) -> Job {
        self.r = Some(r);
        self
    }
    /// Sets how much work goes into the answer.
    pub fn mode(mut self, mode: Mode) -> Job {
        self.mode = mode;
        self
    }
    /// Number of threads that the run may use in the worker.
    pub fn threads(mut self, threads: usize) -> Job {
        self.threads = threads.max(1);
        self
    }
    /// Sets the time after which the run ends with the best cover it has.
    pub fn time_limit(mut self, time: Duration) -> Job {
        self.time_limit = Some(time);
        self
    }
    /// Caps the memory of covers and recursions, by the minimiser's own count.
    pub fn memory_limit(mut self, bytes: usize) -> Job {
        self.memory_limit = bytes;
        self
    }
    /// Sets the hard limits.
    pub fn limits(mut self, limits: Limits) -> Job {
        self.limits = limits;
        self
    }

    /// Lets another thread end the job.
    pub fn ender(mut self, ender: &Ender) -> Job {
        self.ender = Some(ender.clone());
        self
    }

    /// The shape of the function's cubes.
    pub fn layout(&self) -> &Arc<Layout> {
        self.f.layout()
    }

    /// Refuses what no worker would take.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (which, cover) in [("DC", &self.d), ("OFF", &self.r)] {
            if cover.as_ref().is_some_and(|cover| cover.layout() != self.f.layout()) {
                return Err(Error::LayoutMismatch { which });
            }
        }
        Ok(())
    }

    /// The words before the covers.
    pub(crate) fn head(&self) -> Result<Vec<u64>, Error> {
        let layout = self.layout();
        let valued = layout.valued();
        let mode = match self.mode {
            Mode::Fast => 1,
            Mode::Normal => 2,
            Mode::Strong => 3,
            Mode::Exact => 4,
            _ => return Err(Error::BadLayout { reason: "a mode that workers do not know" }),
        };
        let mut words = vec![
            layout.binaries() as u64,
            valued.len() as u64,
            layout.outputs() as u64,
            layout.words() as u64,
            mode,
            self.threads as u64,
            self.time_limit.map_or(0, |time| milliseconds(time).max(1)),
            self.memory_limit as u64,
            milliseconds(self.limits.wall),
            self.limits.cpu.map_or(0, |time| milliseconds(time).max(1)),
            self.limits.memory_bytes.unwrap_or(0),
            self.f.len() as u64 + 1,
            count(self.d.as_ref()),
            count(self.r.as_ref()),
        ];
        debug_assert_eq!(words.len(), FIXED_WORDS);
        words.extend(valued.iter().map(|&size| size as u64));
        Ok(words)
    }

    /// The covers, behind [`Job::head`].
    pub(crate) fn covers(&self) -> [&[u64]; 3] {
        [
            self.f.words(),
            self.d.as_ref().map_or(&[], Cover::words),
            self.r.as_ref().map_or(&[], Cover::words),
        ]
    }

    /// A job as a worker reads it.
    pub(crate) fn read(mut body: Body<'_>) -> Result<Job, Fault> {
        let bytes = body.left().saturating_mul(8);
        let fixed = body.array::<FIXED_WORDS>()?;
        let [
            binaries,
            valued,
            outputs,
            words,
            mode,
            threads,
            time,
            memory,
            wall,
            cpu,
            hard,
            f,
            d,
            r,
        ] = fixed;
        let valued: Vec<usize> =
            body.take(valued)?.into_iter().map(size).collect::<Result<_, _>>()?;
        let layout = Layout::new(size(binaries)?, &valued, size(outputs)?)
            .map_err(|_| Fault::Malformed("its dimensions break the limits"))?;
        if layout.words() as u64 != words {
            return Err(Fault::Malformed("its cubes are laid out otherwise"));
        }
        let layout = Arc::new(layout);
        let f = cover(&layout, f, &mut body)?.ok_or(Fault::Malformed("it has no ON-set"))?;
        let d = cover(&layout, d, &mut body)?;
        let r = cover(&layout, r, &mut body)?;
        body.finish()?;
        let mode = match mode {
            1 => Mode::Fast,
            2 => Mode::Normal,
            3 => Mode::Strong,
            4 => Mode::Exact,
            _ => return Err(Fault::Malformed("its mode is not known")),
        };
        let limits = Limits {
            wall: Duration::from_millis(wall),
            cpu: (cpu > 0).then(|| Duration::from_millis(cpu)),
            memory_bytes: (hard > 0).then_some(hard.saturating_add(bytes)),
        };
        Ok(Job {
            f,
            d,
            r,
            mode,
            threads: size(threads)?,
            time_limit: (time > 0).then(|| Duration::from_millis(time)),
            memory_limit: size(memory)?,
            limits,
            ender: None,
        })
    }

    /// Runs the job here.
    pub(crate) fn run(&self) -> Result<Solution, Error> {
        let mut minimizer = Minimizer::new(self.layout())
            .mode(self.mode)
            .threads(self.threads)
            .memory_limit(self.memory_limit);
        if let Some(time) = self.time_limit {
            minimizer = minimizer.time_limit(time);
        }
        minimizer.minimize(&self.f, self.d.as_ref(), self.r.as_ref())
    }
}

/// The words before the covers of an answer, which are those of `f`, `d` and `r`.
pub(crate) fn answer_head(solution: &Solution) -> [u64; 5] {
    [
        solution.lower_bound as u64,
        solution.stopped_early.into(),
        solution.f.len() as u64 + 1,
        count(solution.d.as_ref()),
        count(solution.r.as_ref()),
    ]
}

/// An answer as a pool reads it.
pub(crate) fn read_answer(layout: &Arc<Layout>, mut body: Body<'_>) -> Result<Solution, Fault> {
    let [bound, early, f, d, r] = body.array()?;
    let f = cover(layout, f, &mut body)?.ok_or(Fault::Malformed("it has no cover"))?;
    let d = cover(layout, d, &mut body)?;
    let r = cover(layout, r, &mut body)?;
    body.finish()?;
    Ok(Solution::from_parts(f, d, r, size(bound)?, early != 0))
}

/// A cover of so many cubes; 0 is no cover, one more than the cubes is a cover.
fn cover(layout: &Arc<Layout>, given: u64, body: &mut Body<'_>) -> Result<Option<Cover>, Fault> {
    let Some(cubes) = given.checked_sub(1) else { return Ok(None) };
    let words = body.take(cubes.saturating_mul(layout.words() as u64))?;
    let cover = Cover::from_words(layout, words)
        .map_err(|_| Fault::Malformed("one of its cubes is not of its layout"))?;
    Ok(Some(cover))
}

fn count(cover: Option<&Cover>) -> u64 {
    cover.map_or(0, |cover| cover.len() as u64 + 1)
}

fn size(word: u64) -> Result<usize, Fault> {
    usize::try_from(word).map_err(|_| Fault::Malformed("a number is too large"))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
