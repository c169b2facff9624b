//! The face with a state for each thread: what it does, what it refuses, what stays as it was.

use std::time::Duration;

use pos_kernel_espresso::classic::{
    self, ClassicError, FUNCTIONS_MAX, Handle, Options, Set, THREADS_MAX, Which,
};
use pos_kernel_espresso::{Error, Kind};

/// Each test begins as a thread that has never called.
fn fresh() {
    classic::teardown_all().expect("the thread lives");
}

fn exclusive_or() -> Handle {
    let function = classic::setup(2, 1).expect("small");
    classic::add_row(Set::On, &[0, 1], &[1]).expect("a row");
    classic::add_row(Set::On, &[1, 0], &[1]).expect("a row");
    function
}

#[test]
fn several_dimensions_live_on_one_thread() {
    fresh();
    assert_eq!(classic::current(), Err(ClassicError::NotSetUp));
    let first = exclusive_or();
    let second = classic::setup_valued(1, &[3], 2).expect("small");
    assert_eq!(classic::current(), Ok(second));
    let cube = classic::get_cube().expect("set up");
    assert_eq!((cube.binaries(), cube.valued(), cube.outputs()), (1, vec![3], 2));
    classic::select(first).expect("of this thread");
    assert_eq!(classic::get_cube().expect("set up").inputs(), 2);
    assert_eq!(classic::minimize().expect("small").cost.products, 2);
    classic::teardown(first).expect("of this thread");
    assert_eq!(classic::minimize(), Err(ClassicError::NotSetUp));
    assert_eq!(classic::select(first), Err(ClassicError::Unknown { number: first.number() }));
    classic::select(second).expect("of this thread");
    assert_eq!(classic::minimize().expect("nothing is on").cost.products, 0);
}

#[test]
fn a_handle_means_nothing_on_another_thread_and_is_never_given_again() {
    fresh();
    let mine = exclusive_or();
    let elsewhere = std::thread::spawn(move || {
        let theirs = classic::setup(3, 1).expect("small");
        (theirs, classic::select(mine), classic::teardown(mine), classic::current())
    });
    let (theirs, selected, torn, current) = elsewhere.join().expect("it does not panic");
    let unknown = Err(ClassicError::Unknown { number: mine.number() });
    assert_eq!((selected, torn), (unknown.clone(), unknown));
    assert_eq!(current, Ok(theirs));
    assert_ne!(theirs, mine);
    assert!(classic::select(theirs).is_err());
    classic::teardown(mine).expect("of this thread");
    assert_ne!(exclusive_or(), mine);
}

#[test]
fn options_belong_to_their_thread_and_are_checked() {
    fresh();
    classic::set_trace(true).expect("an option");
    classic::set_threads(2).expect("an option");
    classic::set_time_limit(Some(Duration::from_secs(5))).expect("an option");
    for bad in [0, THREADS_MAX + 1] {
        let refused = classic::set_threads(bad);
        assert!(matches!(refused, Err(ClassicError::BadOption { option: "threads", .. })));
        let refused = classic::set_options(Options { threads: bad, ..Options::default() });
        assert!(matches!(refused, Err(ClassicError::BadOption { option: "threads", .. })));
    }
    assert_eq!((classic::trace(), classic::threads()), (Ok(true), Ok(2)));
    let elsewhere = std::thread::spawn(classic::options).join().expect("it does not panic");
    assert_eq!(elsewhere, Ok(Options::default()));
    classic::teardown_all().expect("the thread lives");
    assert_eq!(classic::options(), Ok(Options::default()));
}

#[test]
fn the_options_do_what_the_classic_ones_did() {
    fresh();
    classic::set_debug(true).expect("an option");
    classic::set_trace(true).expect("an option");
    // 3 of 4 points: one product fewer in the other phase.
    let function = classic::setup(2, 1).expect("small");
    for row in [[0, 1], [1, 0], [1, 1]] {
        classic::add_row(Set::On, &row, &[1]).expect("a row");
    }
    assert_eq!(classic::minimize().expect("small").cost.products, 2);
    classic::set_pos(true).expect("an option");
    assert_eq!(classic::minimize().expect("small").cost.products, 1);
    assert_eq!(classic::cover(Which::F).expect("it ran").rows(), vec![(vec![0, 0], vec![1])]);
    classic::set_pos(false).expect("an option");
    let trace = classic::trace_text().expect("the thread lives");
    let number = function.number();
    assert!(trace.starts_with(&format!("setup: function {number}: 2 inputs, 1 outputs\n")));
    for step in ["complement: ", "expand: ", "primes: ", "verify: ", "answer: 1 products"] {
        assert!(trace.contains(step), "{step} in {trace}");
    }
    classic::clear_trace().expect("the thread lives");
    classic::set_skip_make_sparse(true).expect("an option");
    classic::set_single_expand(true).expect("an option");
    assert_eq!(classic::minimize().expect("small").cost.products, 2);
    let trace = classic::trace_text().expect("the thread lives");
    assert!(!trace.contains("primes"), "{trace}");
    classic::set_exact(true).expect("an option");
    assert!(classic::minimize().expect("small").proved);
}

#[test]
fn what_is_refused_changes_nothing() {
    fresh();
    exclusive_or();
    classic::minimize().expect("small");
    let before = classic::cover(Which::On).expect("set up");
    let not_listed = ClassicError::NotListed { kind: "fd", set: "OFF" };
    assert_eq!(classic::add_row(Set::Off, &[0, 0], &[1]), Err(not_listed));
    assert!(matches!(
        classic::add_row(Set::On, &[0], &[1]),
        Err(ClassicError::Engine(Error::BadCube { .. }))
    ));
    assert!(classic::add_words(Set::On, &[0b10_01, u64::MAX]).is_err());
    let only_off = Kind { f: false, d: false, r: true };
    let on_has_rows = ClassicError::NotListed { kind: "r", set: "ON" };
    assert_eq!(classic::set_kind(only_off), Err(on_has_rows));
    assert_eq!(classic::set_kind(Kind { f: false, d: false, r: false }), Err(ClassicError::NoKind));
    assert!(classic::setup(3, 0).is_err());
    assert!(classic::read_pla(b".i 2\n.o 1\n0 1\n.e\n").is_err());
    assert_eq!(classic::cover(Which::On), Ok(before));
    assert_eq!(classic::answer().expect("it is still there").cost.products, 2);
    classic::add_row(Set::On, &[1, 1], &[1]).expect("a row");
    assert_eq!(classic::answer(), Err(ClassicError::NoAnswer));
}

#[test]
fn a_function_comes_from_a_pla_and_goes_as_one() {
    fresh();
    classic::read_pla(b".i 2\n.o 1\n.ilb a b\n.ob f\n.type fr\n01 1\n11 1\n00 0\n.e\n")
        .expect("a PLA");
    assert_eq!(classic::kind().map(Kind::name), Ok("fr"));
    let answer = classic::minimize().expect("small");
    assert_eq!((answer.cost.products, answer.stopped_early), (1, false));
    let text = classic::text().expect("it ran");
    assert!(text.contains(".ilb a b\n") && text.contains("\n-1 1\n"), "{text}");
    assert_eq!(
        classic::cover(Which::D).map(|cover| cover.len()),
        Err(ClassicError::NoCover {
            which: "D",
            reason: "its points are those that are in neither of the others"
        })
    );
    assert_eq!(classic::cover(Which::R).expect("it was listed").len(), 1);
    classic::add_row(Set::On, &[0, 0], &[1]).expect("a row");
    let clash = ClassicError::Engine(Error::Contradiction { on: 2, off: 0 });
    assert_eq!(classic::minimize(), Err(clash));
}

#[test]
fn a_function_of_many_variables_needs_no_stack_of_its_thread() {
    let run = || {
        classic::setup(20_000, 1).expect("within the limits");
        let mut row = vec![2; 20_000];
        for input in [0, 1, 2, 19_999] {
            row[input] = 1;
            classic::add_row(Set::On, &row, &[1]).expect("a row");
            row[input] = 0;
        }
        classic::minimize().expect("its complement is small").cost.products
    };
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(run);
    assert_eq!(thread.expect("a thread").join().expect("it does not panic"), 4);
}

#[test]
fn a_thread_holds_a_limited_number_of_functions() {
    std::thread::spawn(|| {
        let handles: Vec<Handle> =
            (0..FUNCTIONS_MAX).map(|_| classic::setup(1, 1).expect("within the limit")).collect();
        assert_eq!(classic::setup(1, 1), Err(ClassicError::TooMany { limit: FUNCTIONS_MAX }));
        assert_eq!(classic::current(), Ok(handles[FUNCTIONS_MAX - 1]));
        classic::teardown(handles[0]).expect("of this thread");
        classic::setup(1, 1).expect("there is room again");
    })
    .join()
    .expect("it does not panic");
}
