use aumenta_models::ModelConfig;
use aumenta_nn::*;
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};
#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let arch = ModelConfig::named(&args[1]).unwrap().architecture().unwrap();
    let n: usize = args[2].parse().unwrap();
    let k: usize = args[3].parse().unwrap();
    let [h, w, c] = arch.input();
    let mut m = arch.build(Seed::new(7), &Device::Cpu).unwrap();
    let x = Tensor::from_vec(
        (0..n * h * w * c).map(|i| ((i * 37 + 11) % 101) as f32 / 101.).collect::<Vec<_>>(),
        (n, h, w, c),
        &Device::Cpu,
    )
    .unwrap();
    let y = Tensor::from_vec((0..n).map(|i| (i % 2) as u32).collect::<Vec<_>>(), n, &Device::Cpu).unwrap();
    let mut t = vec![];
    let mut f = vec![];
    let mut o = vec![];
    let l = Loss::for_outputs(arch.outputs());
    for i in 0..k {
        let s = std::time::Instant::now();
        let mid = std::cell::Cell::new(0.0);
        let step = m
            .gradients(&x, i as u64, &mut |z| {
                mid.set(s.elapsed().as_secs_f64());
                l.of_each(z, &y)
            })
            .unwrap();
        let e = s.elapsed().as_secs_f64() * 1e3;
        std::hint::black_box(&step.gradients);
        t.push(e);
        f.push(mid.get() * 1e3);
        o.push(step.losses.mean_all().unwrap().to_scalar::<f32>().unwrap());
    }
    t.sort_by(f64::total_cmp);
    f.sort_by(f64::total_cmp);
    println!(
        "{} b{n}: fwd {:.2} fwd+bwd median {:.2} min {:.2} loss {:?}",
        args[1],
        f[k / 2],
        t[k / 2],
        t[0],
        o.last()
    );
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
