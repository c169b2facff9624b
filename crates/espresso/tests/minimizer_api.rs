//! The faces of the minimiser: builders, set operations, outputs apart, many files, caps,
//! cancellation, threads.

use std::sync::Arc;
use std::time::Duration;

use pos_kernel_espresso::{
    Cancel, Cover, CoverBuilder, Error, Espresso, Layout, Minimizer, Mode, Phase, Pla, Verdict,
};
use proptest::prelude::*;

fn shape(binaries: usize, valued: &[usize], outputs: usize) -> Arc<Layout> {
    Arc::new(Layout::new(binaries, valued, outputs).expect("small"))
}

/// Random numbers from a seed.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    }
}

fn random_cover(layout: &Arc<Layout>, rows: usize, seed: u64) -> Cover {
    let mut dice = dice(seed);
    let mut cover = Cover::empty(layout);
    for _ in 0..rows {
        let fields: Vec<Vec<usize>> = layout
            .variables()
            .iter()
            .map(|variable| {
                let start = dice(variable.parts);
                let all = dice(3) == 0;
                (0..variable.parts).filter(|&v| all || v == start || dice(3) == 0).collect()
            })
            .collect();
        let fields: Vec<&[usize]> = fields.iter().map(Vec::as_slice).collect();
        cover.push_fields(&fields).expect("in range");
    }
    cover
}

/// All points of a layout, as cubes of single values.
fn points(layout: &Arc<Layout>) -> Vec<Vec<u64>> {
    layout.variables().iter().fold(vec![vec![0; layout.words()]], |all, variable| {
        all.iter()
            .flat_map(|point| {
                (0..variable.parts).map(move |value| {
                    let mut longer = point.clone();
                    let bit = variable.first_bit + value;
                    longer[bit / 64] |= 1 << (bit % 64);
                    longer
                })
            })
            .collect()
    })
}

fn holds(cover: &Cover, point: &[u64]) -> bool {
    cover.cubes().any(|cube| cube.iter().zip(point).all(|(c, p)| p & !c == 0))
}

#[test]
fn a_builder_keeps_its_first_mistake() {
    let mut builder = CoverBuilder::new(2, 1);
    builder.add_cube(&[0, 1], &[1]).add_cube(&[0], &[1]).add_cube(&[0, 3], &[1]);
    assert_eq!(builder.build(), Err(Error::BadCube { reason: "one number for each input" }));
    let mut builder = CoverBuilder::new(2, 1);
    builder.add_cube(&[0, 3], &[1]);
    assert!(matches!(builder.build(), Err(Error::BadCube { .. })));
    assert!(matches!(CoverBuilder::new(2, 0).build(), Err(Error::BadLayout { .. })));
    assert!(matches!(CoverBuilder::over(&shape(1, &[3], 1)).build(), Err(Error::BadLayout { .. })));
}

#[test]
fn an_instance_minimises_functions_of_its_size() {
    let espresso = Espresso::new(3, 2);
    let mut on = CoverBuilder::new(3, 2);
    on.add_cube(&[0, 0, 2], &[1, 1]).add_cube(&[0, 1, 2], &[1, 0]).add_cube(&[1, 0, 2], &[0, 1]);
    let on = on.build().expect("good rows");
    let answer = espresso.minimize(on.clone(), None, None).expect("an answer");
    assert_eq!(answer.f.rows(), vec![(vec![2, 0, 2], vec![0, 1]), (vec![0, 2, 2], vec![1, 0])]);
    assert_eq!((answer.lower_bound, answer.proved), (2, true));
    assert!(answer.r.is_some_and(|r| !r.is_empty()));
    let other = Espresso::new(2, 2).minimize(on, None, None);
    assert_eq!(other.err(), Some(Error::LayoutMismatch { which: "ON" }));
    let broken = Espresso::new(1, 0).minimize(Cover::empty(&shape(1, &[], 1)), None, None);
    assert!(matches!(broken, Err(Error::BadLayout { .. })));
}

#[test]
fn constants_have_their_smallest_covers() {
    let layout = shape(3, &[4], 2);
    let mut all = Cover::empty(&layout);
    all.push_fields(&[&[0, 1], &[0, 1], &[0, 1], &[0, 1, 2, 3], &[0, 1]]).expect("in range");
    let nothing = Cover::empty(&layout);
    for mode in [Mode::Fast, Mode::Normal, Mode::Strong, Mode::Exact] {
        let minimizer = Minimizer::new(&layout).mode(mode);
        let one = minimizer.minimize(&all, None, None).expect("an answer");
        assert_eq!((one.f, one.proved), (all.clone(), true));
        let zero = minimizer.minimize(&nothing, None, None).expect("an answer");
        assert_eq!((zero.f.len(), zero.proved), (0, true));
        let free = minimizer.minimize(&all, Some(&all), None).expect("an answer");
        assert_eq!(free.f.len(), 0, "everything is a don't-care");
    }
}

#[test]
fn a_contradiction_is_refused_with_its_cubes() {
    let layout = shape(2, &[], 1);
    let mut on = Cover::empty(&layout);
    on.push_fields(&[&[0], &[0], &[0]]).expect("in range");
    on.push_fields(&[&[1], &[0, 1], &[0]]).expect("in range");
    let mut off = Cover::empty(&layout);
    off.push_fields(&[&[0, 1], &[1], &[0]]).expect("in range");
    let refused = Minimizer::new(&layout).minimize(&on, None, Some(&off));
    assert_eq!(refused.err(), Some(Error::Contradiction { on: 1, off: 0 }));
}

#[test]
fn caps_and_cancellation_end_a_run() {
    // Forty pairs of inputs: the complement has 2^40 cubes, the answer is the input.
    let layout = shape(80, &[], 1);
    let mut on = Cover::empty(&layout);
    let both: &[usize] = &[0, 1];
    for pair in 0..40 {
        let mut fields = vec![both; 80];
        (fields[2 * pair], fields[2 * pair + 1]) = (&[1], &[1]);
        fields.push(&[0]);
        on.push_fields(&fields).expect("in range");
    }
    let minimizer = Minimizer::new(&layout);
    let answer = minimizer.minimize(&on, None, None).expect("an answer without an OFF-set");
    assert_eq!((answer.cost.products, answer.r), (40, None));

    let cancel = Cancel::new();
    let watched = minimizer.clone().cancel(&cancel);
    assert!(watched.minimize(&on, None, None).is_ok());
    cancel.cancel();
    assert!(matches!(watched.minimize(&on, None, None), Err(Error::Cancelled)));
    assert_eq!(watched.complement(&on), Err(Error::Cancelled));
    let hurried = minimizer.clone().time_limit(Duration::ZERO);
    assert!(matches!(hurried.minimize(&on, None, None), Err(Error::TimeLimit)));
    let small = minimizer.clone().memory_limit(1 << 16);
    assert_eq!(small.complement(&on), Err(Error::MemoryLimit { limit_bytes: 1 << 16 }));
    match small.minimize(&on, None, None) {
        Ok(answer) => assert_eq!(answer.cost.products, 40),
        Err(error) => assert_eq!(error, Error::MemoryLimit { limit_bytes: 1 << 16 }),
    }
}

#[test]
fn cancelling_from_another_thread_ends_a_long_run() {
    let layout = shape(14, &[], 14);
    let on = random_cover(&layout, 400, 7);
    let cancel = Cancel::new();
    let minimizer = Minimizer::new(&layout).mode(Mode::Strong).cancel(&cancel);
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| minimizer.minimize(&on, None, None));
        cancel.cancel();
        run.join().expect("no panic")
    });
    assert!(matches!(outcome, Err(Error::Cancelled)));
}

#[test]
fn a_listener_hears_the_steps_in_order_and_changes_nothing() {
    let layout = shape(8, &[], 4);
    let on = random_cover(&layout, 60, 11);
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    let quiet = Minimizer::new(&layout);
    let telling = quiet.clone().on_progress(move |progress| {
        told.lock().expect("no panic").push((progress.phase, progress.products));
    });
    let answer = telling.minimize(&on, None, None).expect("no caps");
    assert_eq!(answer.f, quiet.minimize(&on, None, None).expect("no caps").f);
    let heard = heard.lock().expect("no panic");
    assert_eq!(heard.first().map(|step| step.0), Some(Phase::Complement));
    assert_eq!(heard.last(), Some(&(Phase::Verify, answer.cost.products)));
    assert!(heard.iter().any(|step| step.0 == Phase::Expand));
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let layout = shape(16, &[5], 6);
    let on = random_cover(&layout, 60, 11);
    for mode in [Mode::Normal, Mode::Fast] {
        let run = |threads| {
            let minimizer = Minimizer::new(&layout).mode(mode).threads(threads);
            let whole = minimizer.minimize(&on, None, None).expect("an answer");
            let apart = minimizer.minimize_outputs_apart(&on, None, None).expect("an answer");
            (whole.f, whole.lower_bound, apart.f)
        };
        let one = run(1);
        assert_eq!(run(2), one);
        assert_eq!(run(8), one);
    }
}

/// `operations` functions of mixed sizes on `threads` threads, compared with one after the other.
fn concurrently(operations: usize, threads: usize) {
    let run = |number: usize| {
        let layout = match number % 4 {
            0 => shape(2, &[], 1),
            1 => shape(4, &[], 3),
            2 => shape(3, &[5], 2),
            _ => shape(6, &[], 2),
        };
        let on = random_cover(&layout, 3 + number % 5, number as u64);
        let answer = Minimizer::new(&layout).minimize(&on, None, None).expect("an answer");
        (answer.f.words().to_vec(), answer.cost)
    };
    let serial: Vec<_> = (0..operations).map(run).collect();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let serial = &serial;
            scope.spawn(move || {
                for number in (thread..operations).step_by(threads) {
                    assert_eq!(run(number), serial[number], "function {number}");
                }
            });
        }
    });
}

#[test]
fn many_threads_give_the_answers_of_one() {
    concurrently(640, 32);
    let long = std::env::var_os("POS_KERNEL_FAULT").is_some_and(|v| v == "long");
    if long {
        concurrently(10_240, 64);
    }
}

#[test]
fn everything_may_cross_threads() {
    fn crosses<T: Send + Sync + Clone>() {}
    crosses::<Minimizer>();
    crosses::<Espresso>();
    crosses::<CoverBuilder>();
    crosses::<Cover>();
    crosses::<Layout>();
    crosses::<Pla>();
    crosses::<pos_kernel_espresso::Solution>();
}

#[test]
fn the_format_fixtures_have_the_answers_of_the_reference() {
    let read = |text: &str| Pla::parse_all(text.as_bytes()).expect("readable");
    let cost = |pla: &Pla| {
        let minimizer = Minimizer::new(&pla.layout);
        let c = pla.minimize(&minimizer).expect("an answer").cost;
        (c.products, c.inputs, c.valued, c.outputs)
    };
    let mv = &read(include_str!("data/pla/fmt_mv.pla"))[0];
    assert_eq!(cost(mv), (3, 1, 19, 3));
    assert_eq!(mv.value_names[0][6], "sun");
    assert_eq!(mv.output_names, ["off5", "off10", "points"]);
    let phase = &read(include_str!("data/pla/fmt_phase.pla"))[0];
    assert_eq!(cost(phase), (7, 15, 0, 8));
    let symbolic = &read(include_str!("data/pla/fmt_symbolic.pla"))[0];
    assert_eq!(cost(symbolic), (4, 4, 5, 5));
    let symbols = &read(include_str!("data/pla/fmt_symbols.pla"))[0];
    assert_eq!(cost(symbols), (3, 4, 0, 3));
    let many = read(include_str!("data/pla/fmt_many.pla"));
    for threads in [1, 2] {
        let minimizer = Minimizer::new(&many[0].layout).threads(threads);
        let answers = Pla::minimize_many(&many, &minimizer);
        let products: Vec<usize> =
            answers.into_iter().map(|a| a.expect("an answer").cost.products).collect();
        assert_eq!(products, [2, 2]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn set_operations_agree_with_the_points(
        binaries in 1usize..5,
        valued in prop::collection::vec(1usize..5, 0..2),
        outputs in 1usize..3,
        rows in (0usize..8, 0usize..8),
        seed in any::<u64>(),
    ) {
        let layout = shape(binaries, &valued, outputs);
        let (a, b) = (random_cover(&layout, rows.0, seed), random_cover(&layout, rows.1, !seed));
        let sets = Minimizer::new(&layout);
        let complement = sets.complement(&a).expect("small");
        let union = sets.union(&a, &b).expect("small");
        let meet = sets.intersection(&a, &b).expect("small");
        let rest = sets.difference(&a, &b).expect("small");
        let one = sets.symmetric_difference(&a, &b).expect("small");
        let primes = sets.primes(&a, Some(&b)).expect("small");
        let (mut all, mut inside, mut same) = (true, true, true);
        for point in points(&layout) {
            let (in_a, in_b) = (holds(&a, &point), holds(&b, &point));
            prop_assert_eq!(holds(&complement, &point), !in_a);
            prop_assert_eq!(holds(&union, &point), in_a || in_b);
            prop_assert_eq!(holds(&meet, &point), in_a && in_b);
            prop_assert_eq!(holds(&rest, &point), in_a && !in_b);
            prop_assert_eq!(holds(&one, &point), in_a != in_b);
            prop_assert_eq!(holds(&primes, &point), in_a || in_b);
            all &= in_a;
            inside &= in_a || !in_b;
            same &= in_a == in_b;
        }
        prop_assert_eq!(sets.is_tautology(&a).expect("small"), all);
        prop_assert_eq!(sets.contains(&a, &b).expect("small"), inside);
        prop_assert_eq!(sets.is_equal(&a, &b).expect("small"), same);
    }

    #[test]
    fn verification_finds_what_is_lost_and_what_is_too_much(
        binaries in 1usize..6,
        outputs in 1usize..4,
        rows in (1usize..8, 0usize..4),
        seed in any::<u64>(),
    ) {
        let layout = shape(binaries, &[], outputs);
        let (f, d) = (random_cover(&layout, rows.0, seed), random_cover(&layout, rows.1, !seed));
        let minimizer = Minimizer::new(&layout);
        let answer = minimizer.minimize(&f, Some(&d), None).expect("small");
        let verdict = minimizer.verify(&answer.f, &f, Some(&d), None).expect("small");
        prop_assert_eq!(verdict, Verdict::Equivalent);
        let verdict = minimizer.verify(&answer.f, &f, Some(&d), answer.r.as_ref()).expect("small");
        prop_assert_eq!(verdict, Verdict::Equivalent);
        // The answer is irredundant: without its last product something is lost.
        if !answer.f.is_empty() {
            let mut less = Cover::empty(&layout);
            for index in 0..answer.f.len() - 1 {
                less.push_words(answer.f.cube(index)).expect("same layout");
            }
            let verdict = minimizer.verify(&less, &f, Some(&d), None).expect("small");
            let lost = matches!(verdict, Verdict::Lost { .. });
            prop_assert!(lost);
        }
        let off = answer.r.expect("small");
        if !off.is_empty() {
            let mut more = answer.f.clone();
            more.push_words(off.cube(0)).expect("same layout");
            let verdict = minimizer.verify(&more, &f, Some(&d), None).expect("small");
            prop_assert_eq!(verdict, Verdict::TooLarge { product: more.len() - 1 });
        }
    }

    #[test]
    fn outputs_apart_share_no_product(
        binaries in 1usize..6,
        outputs in 1usize..5,
        rows in (0usize..10, 0usize..3),
        seed in any::<u64>(),
    ) {
        let layout = shape(binaries, &[], outputs);
        let (f, d) = (random_cover(&layout, rows.0, seed), random_cover(&layout, rows.1, !seed));
        let minimizer = Minimizer::new(&layout).threads(2);
        let apart = minimizer.minimize_outputs_apart(&f, Some(&d), None).expect("small");
        for (_, outputs) in apart.f.rows() {
            prop_assert_eq!(outputs.iter().filter(|o| **o == 1).count(), 1);
        }
        let off = apart.r.as_ref();
        prop_assert_eq!(
            minimizer.verify(&apart.f, &f, Some(&d), off).expect("small"),
            Verdict::Equivalent
        );
        let whole = minimizer.mode(Mode::Exact).minimize(&f, Some(&d), None).expect("small");
        prop_assert!(whole.cost.products <= apart.cost.products);
    }

    #[test]
    fn exact_answers_are_minima(
        binaries in 1usize..4,
        outputs in 1usize..3,
        rows in (0usize..7, 0usize..3),
        seed in any::<u64>(),
    ) {
        let layout = shape(binaries, &[], outputs);
        let (f, d) = (random_cover(&layout, rows.0, seed), random_cover(&layout, rows.1, !seed));
        let exact = Minimizer::new(&layout).mode(Mode::Exact);
        let answer = exact.minimize(&f, Some(&d), None).expect("small");
        prop_assert!(answer.proved);
        prop_assert_eq!(answer.lower_bound, answer.cost.products);
        // Fewest cubes for each set of ON points, by extending sets point by point.
        let all = points(&layout);
        let needed: Vec<&Vec<u64>> =
            all.iter().filter(|p| holds(&f, p) && !holds(&d, p)).collect();
        let off: Vec<&Vec<u64>> =
            all.iter().filter(|p| !holds(&f, p) && !holds(&d, p)).collect();
        let mut cubes = vec![vec![0u64; layout.words()]];
        for variable in layout.variables() {
            cubes = cubes
                .iter()
                .flat_map(|cube| {
                    (1u64..1 << variable.parts).map(move |set| {
                        let mut longer = cube.clone();
                        longer[0] |= set << variable.first_bit;
                        longer
                    })
                })
                .collect();
        }
        let within = |p: &[u64], c: &[u64]| p.iter().zip(c).all(|(p, c)| p & !c == 0);
        let masks: Vec<usize> = cubes
            .iter()
            .filter(|c| !off.iter().any(|p| within(p, c)))
            .map(|c| {
                (0..needed.len()).filter(|&i| within(needed[i], c)).map(|i| 1 << i).sum()
            })
            .collect();
        let mut fewest = vec![usize::MAX; 1 << needed.len()];
        fewest[0] = 0;
        for set in 0..fewest.len() {
            if fewest[set] == usize::MAX || set == fewest.len() - 1 {
                continue;
            }
            let first = 1 << (!set).trailing_zeros();
            for &mask in masks.iter().filter(|m| *m & first != 0) {
                let bigger = set | mask;
                fewest[bigger] = fewest[bigger].min(fewest[set] + 1);
            }
        }
        prop_assert_eq!(answer.cost.products, fewest[fewest.len() - 1]);
    }
}
